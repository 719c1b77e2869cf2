"""Rhythm and harmony of a track as vectors, from the windows that an encoder reads."""
