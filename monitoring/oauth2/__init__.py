"""Sign-in for laboratories' systems, as SMART Backend Services has it."""
