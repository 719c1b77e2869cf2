"""Labelled clips and unlabelled tracks: read from disk, split, decoded, and encoded for training and evaluation."""
