"""A small collection of music, composed and synthesised here, for people who have none at hand."""
