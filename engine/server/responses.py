"""JSON answers: the documents of the command line, encoded in the same way."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from engine.db.text import clean


class Document(Response):
    """A JSON document. NaN is refused; in names that are not UTF-8, U+FFFD replaces each invalid byte."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode a document."""
        return encode(content)


def encode(content: Any) -> bytes:
    """Return plain values as JSON in UTF-8."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return clean(text).encode("utf-8")
