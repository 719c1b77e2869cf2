"""Every error that Engine raises on purpose: one small tree.

EngineError
├── LibraryError         the library file: cannot be opened, read or written, is damaged, or lacks signatures
│   ├── BusyError            another process holds it; the same call may succeed later
│   ├── UnavailableError     a file or disk is missing, full, read-only or forbidden
│   └── SignatureError       one stored signature is damaged; the rest of the library is sound
├── EncoderError         the encoder: unknown, missing weights, weights that do not match their name
├── DeviceError          the requested device is not available
├── AudioError           one file yields no signature
├── QueryError           one query cannot be answered
│   ├── NotFoundError        no such track, id, artist, album, genre or file
│   └── InvalidError         an invalid value: k of 0, an empty span, an unknown ending
├── OutputError          the output path holds another kind of file, which is never replaced
└── TrainingError        labels or settings from which no encoder can be trained

An error has a message (expected, found) and possibly a hint (the next step). This module imports nothing, so that every
other module may import it.
"""

CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Code points that a terminal obeys instead of showing: C0, C1, line separators, and directional overrides."""
ESCAPES = {code: chr(code).encode("unicode_escape").decode("ascii") for code in CONTROLS}
LONGEST_REASON = 300  # characters of a foreign text quoted in a message


def visible(text: str, keep: str = "") -> str:
    r"""Escape the control characters of a text for a terminal: \x1b, \u202e.

    Args:
        text: From a tag, a file's name, a message.
        keep: Control characters to leave alone.
    """
    escapes = {code: escape for code, escape in ESCAPES.items() if chr(code) not in keep} if keep else ESCAPES
    return text.translate(escapes)


def brief(reason: object) -> str:
    """Shorten an error or a value to one line of `LONGEST_REASON` characters: foreign texts can be megabytes long."""
    text = " ".join(str(reason)[: 4 * LONGEST_REASON].split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def reason_of(error: BaseException) -> str:
    """Return the reason of an error: the system's words for an OSError, without the path, else its text."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class EngineError(Exception):
    """The root of the tree: catch this one to catch all.

    `str()` gives the message and the hint in one line, joined by "; ".

    Attributes:
        message: The expected and the found value.
        hint: The next step, often for the command line; None where there is none.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}; {hint}")
        self.message, self.hint = message, hint


class LibraryError(EngineError):
    """The library cannot be opened, read or written, or lacks the requested data."""


class BusyError(LibraryError):
    """Another process holds the library; try again later."""


class UnavailableError(LibraryError):
    """A file or its disk is missing, full, read-only, or forbidden to this user."""


class SignatureError(LibraryError):
    """One stored signature is damaged."""


class EncoderError(EngineError):
    """The encoder is unknown, or its weights are missing or damaged."""


class DeviceError(EngineError):
    """The requested device is not available."""


class AudioError(EngineError):
    """One audio file yields no signature."""


class QueryError(EngineError):
    """One query cannot be answered."""


class NotFoundError(QueryError):
    """There is no such track, id, artist, album, genre, mood or file."""


class InvalidError(QueryError):
    """A value is invalid: out of range, of an unknown kind, or an empty span."""


class OutputError(EngineError):
    """The output path holds a folder, a device, or a file of another kind, which is never replaced."""


class TrainingError(EngineError):
    """No encoder can be trained from these labels or settings."""
