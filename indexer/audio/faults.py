"""Faults that pass, told apart from those of a file: no permission, a network drive away, memory or descriptors short.

A file that fails by such a fault is read again by the next run; one that is damaged only when it changes.
"""

from __future__ import annotations

import errno

import av

PASSING_NAMES = """
    EACCES EPERM ENOENT ENOTDIR ELOOP EIO ENXIO ENODEV ENOMEDIUM EREMOTEIO EMFILE ENFILE ENOMEM ENOBUFS EAGAIN EBUSY
    EINTR ETXTBSY EDEADLK ENOLCK ESTALE ENOTCONN ETIMEDOUT ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH
    ENETDOWN ENETRESET ENETUNREACH ESHUTDOWN ENOLINK ECOMM EPROTO EREMCHG ENOKEY EKEYEXPIRED EKEYREVOKED
"""  # a system knows some of them
PASSING = frozenset(getattr(errno, name) for name in PASSING_NAMES.split() if hasattr(errno, name))
OUT_OF_MEMORY = ("allocate memory", "out of memory")  # in torch's words, which are plain RuntimeErrors


def is_passing(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, lies around the file rather than in it."""
    while error is not None:
        if _passes(error):
            return True
        error = error.__cause__
    return False


def _passes(error: BaseException) -> bool:
    if isinstance(error, MemoryError):  # FFmpeg's included
        return True
    if isinstance(error, av.FFmpegError):  # its other codes speak of what it found in the file
        return False
    if isinstance(error, OSError):
        return error.errno in PASSING
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)
