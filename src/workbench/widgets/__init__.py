"""Reusable Textual widgets: they hold what is on screen and post messages; they neither fetch nor decide."""
