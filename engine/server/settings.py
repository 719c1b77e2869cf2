"""The settings of a server."""

from __future__ import annotations

from dataclasses import dataclass

MAXIMUM_COUNT = 500  # tracks in one answer, as in OpenSubsonic


@dataclass(frozen=True)
class ServerSettings:
    """How a server behaves.

    Attributes:
        accounts: Whether only users of `engine user` may log in.
        names: Names by which the server may be called, where it has no accounts; None for any.
        root_path: The sub-path behind a reverse proxy, for example "/music"; empty for none.
        log_requests: Whether each request is logged; see `engine.server.logs`.
        transcodes: Most streams that are transcoded at once; a further one is refused with 503.
        watch: Whether changes below the indexed folders are indexed as they occur.
        upload_bytes: Largest file that may be uploaded.
        upload_seconds: Lifetime of an uploaded file.
        uploads: Most uploaded files at once; the oldest is removed first.
    """

    root_path: str = ""
    accounts: bool = False
    names: tuple[str, ...] | None = None
    log_requests: bool = False
    transcodes: int = 4
    watch: bool = False
    upload_bytes: int = 256 << 20
    upload_seconds: float = 3600.0
    uploads: int = 32
