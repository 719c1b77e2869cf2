"""Blocks that several encoders use."""
