"""Every write to the record, one verb each: the fact, its audit line and the version, together."""
