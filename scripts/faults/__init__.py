"""Injects faults into real runs and counts what survives: `python scripts/faults [--short] [PART ...]`."""
