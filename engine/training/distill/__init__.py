"""Distillation: excerpts judged by one or two teachers, and the losses that follow them."""
