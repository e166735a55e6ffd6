"""The laboratory's door: bytes become reports of draws; these become facts or wait for a person."""
