"""Tempo, key, loudness and fingerprints of files."""
