"""The page at `/`: static files beside this module, revalidated at each visit so that an update shows at once."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent
SUFFIXES = frozenset({".css", ".html", ".js", ".svg", ".txt"})
REVALIDATE = {"Cache-Control": "no-cache"}  # an ETag makes the second visit a 304


class PageFiles(StaticFiles):
    """The files of the page; Python modules in the same folder are not served."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file of a path, or an empty name."""
        return super().lookup_path(path) if Path(path).suffix in SUFFIXES else ("", None)

    def file_response(
        self, full_path: Any, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file, or 304 for a browser that has this version."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers.update(REVALIDATE)
        return answer


def install(app: FastAPI) -> None:
    """Serve `index.html` at `/` and everything else of the page under `/page`.

    All addresses in the page are relative, so that it works under a proxy's sub-path.
    """
    mimetypes.add_type("text/javascript", ".js")  # some systems register another type, which browsers refuse

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(FOLDER / "index.html", headers=REVALIDATE)

    app.mount("/page", PageFiles(directory=FOLDER), name="page")
