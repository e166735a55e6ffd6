"""A laboratory that does not exist: it pushes as a real one would, with faults and disorder."""
