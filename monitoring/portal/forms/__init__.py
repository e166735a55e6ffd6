"""What people may type on a page, and what is wrong with it in words that say what to do."""
