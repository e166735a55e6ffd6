"""What we do about it: the site itself; receive, recompute, flag, notify, show."""
