"""The pages: each asks one question, or does one thing, and draws the answer."""
