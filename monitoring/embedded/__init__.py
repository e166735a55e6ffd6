"""PostgreSQL and a broker of our own, for a copy that was given none; and who keeps it running."""
