"""Distinguish temporary faults (no permission, network drive away, out of memory or descriptors) from damaged files.

The next run reads a file with a temporary fault again; a damaged file only after it changes.
"""

from __future__ import annotations

import errno

import av

PASSING_NAMES = """
    EACCES EPERM ENOENT ENOTDIR ELOOP EIO ENXIO ENODEV ENOMEDIUM EREMOTEIO EMFILE ENFILE ENOMEM ENOBUFS EAGAIN EBUSY
    EINTR ETXTBSY EDEADLK ENOLCK ESTALE ENOTCONN ETIMEDOUT ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH
    ENETDOWN ENETRESET ENETUNREACH ESHUTDOWN ENOLINK ECOMM EPROTO EREMCHG ENOKEY EKEYEXPIRED EKEYREVOKED
"""  # each system defines some of them
PASSING = frozenset(getattr(errno, name) for name in PASSING_NAMES.split() if hasattr(errno, name))
OUT_OF_MEMORY = ("allocate memory", "out of memory")  # torch's messages, in plain RuntimeErrors


def is_passing(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, is temporary: outside the file rather than in it."""
    while error is not None:
        if _passes(error):
            return True
        error = error.__cause__
    return False


def _passes(error: BaseException) -> bool:
    if isinstance(error, MemoryError):  # FFmpeg's included
        return True
    if isinstance(error, av.FFmpegError):  # its other codes describe the content of the file
        return False
    if isinstance(error, OSError):
        return error.errno in PASSING
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)
