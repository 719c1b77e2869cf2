"""Encoders: front-ends, shared layers, one file for each network, heads, losses, checkpoints, shipped weights."""
