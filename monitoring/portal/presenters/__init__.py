"""From rows of the database to words on a page; templates only loop and print."""
