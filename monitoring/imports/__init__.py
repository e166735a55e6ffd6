"""Files of a clinic become facts on the record: read whole, checked whole, taken whole or not."""
