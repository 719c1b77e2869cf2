"""Every error that Engine raises on purpose: one small tree.

EngineError
├── LibraryError     the library file: cannot be opened, read, written, or is damaged
│   └── SignatureError   one stored signature is damaged; the rest of the library is sound
├── EncoderError     the encoder: unknown, missing weights, weights that are not what their name says
├── DeviceError      the requested device is not there
├── AudioError       one file yields no signature
├── QueryError       one question cannot be answered
├── OutputError      the file to write to is another file than one that may be replaced
└── TrainingError    labels or settings from which no encoder can be trained

A message is one line: what was expected, what was found, what to do next. This module imports nothing, so that any
other may import it.
"""

CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""What a terminal obeys instead of showing it: C0, C1, ends of lines, and what reorders letters."""
ESCAPES = {code: chr(code).encode("unicode_escape").decode("ascii") for code in CONTROLS}
LONGEST_REASON = 300  # characters of somebody else's words in a message


def visible(text: str, keep: str = "") -> str:
    r"""A text as a terminal may print it: what it would obey as \x1b, \u202e.

    Args:
        text: From a tag, a file's name, a message.
        keep: Control characters that stay.
    """
    escapes = {code: escape for code, escape in ESCAPES.items() if chr(code) not in keep} if keep else ESCAPES
    return text.translate(escapes)


def brief(reason: object) -> str:
    """An error or a value in one short line: files from elsewhere may make it megabytes long."""
    text = " ".join(str(reason)[: 4 * LONGEST_REASON].split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


class EngineError(Exception):
    """The root of the tree: catch this one to catch all."""


class LibraryError(EngineError):
    """The library cannot be opened, read or written."""


class SignatureError(LibraryError):
    """One stored signature is damaged."""


class EncoderError(EngineError):
    """The encoder is unknown, or its weights are missing or damaged."""


class DeviceError(EngineError):
    """The requested device is not available."""


class AudioError(EngineError):
    """One audio file yields no signature."""


class QueryError(EngineError):
    """One question cannot be answered."""


class OutputError(EngineError):
    """There is a file, folder or device where one is to be written, and it is none that may be replaced."""


class TrainingError(EngineError):
    """No encoder can be trained from these labels or settings."""
