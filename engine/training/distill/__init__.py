"""Distillation: excerpts labelled by one teacher or two, and the losses against these labels."""
