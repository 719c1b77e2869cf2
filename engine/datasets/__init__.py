"""Labelled clips and whole tracks to train and evaluate on, in the layouts that data sets come in."""
