"""A paper's own tables, run again at a size that a desk can train: one file in, one table out."""
