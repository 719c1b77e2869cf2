"""The kinds of descriptors that are stored: an aspect and the version of its computation."""

KINDS = {"rhythm": "rhythm:1", "harmony": "harmony:1"}  # aspect -> kind
DIMENSIONS = 64  # numbers in a descriptor of any kind
