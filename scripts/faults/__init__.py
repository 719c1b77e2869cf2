"""Injects faults into real runs and counts the survivors: `python scripts/faults [--short] [PART ...]`."""
