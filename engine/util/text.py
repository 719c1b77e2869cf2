"""Words for numbers."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun: 1 track, 2 tracks."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
