"""Weights that ship, as safetensors, each beside its model card."""
