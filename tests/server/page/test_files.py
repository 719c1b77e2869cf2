"""The page's files as a browser gets them. Covers engine.server.page.files."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.testclient import TestClient

from engine.server.page.files import FOLDER

IMPORT = re.compile(r"""(?:from|import)\s*["']([^"']+)["']""")


def test_the_page_answers_at_the_root_with_its_security_policy(client: TestClient) -> None:
    """GET / is the page; its policy lets no inline script and no other host in."""
    answer = client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text)


def test_every_address_in_the_files_leads_to_another_file(client: TestClient) -> None:
    """Links of the page and imports of its modules are relative and exist."""
    for address in re.findall(r'(?:href|src)="([^"]+)"', client.get("/").text):
        assert client.get(f"/{address}").status_code == 200, address
    for file in FOLDER.rglob("*.js"):
        for target in IMPORT.findall(file.read_text()):
            assert target.startswith("."), (file, target)
            assert (file.parent / target).is_file(), (file, target)


def test_every_module_is_loaded_at_once(client: TestClient) -> None:
    """The page names all modules, so that a browser need not find them one import after another."""
    named = set(re.findall(r'(?:href|src)="page/([^"]+\.js)"', client.get("/").text))
    assert named == {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.js")}


def test_a_second_visit_loads_nothing(client: TestClient) -> None:
    """A file with a known ETag is a 304."""
    first = client.get("/page/app.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = client.get("/page/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_and_documents_are_compressed_and_sound_is_not(client: TestClient) -> None:
    """Browsers get the page and JSON in a third of their size; sound and its parts come as they are."""
    for path in ("/page/app.js", "/page/views.css", "/api/v1/tracks", "/"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip", path
        assert "accept-encoding" in answer.headers["vary"].lower()
    assert "content-encoding" not in client.get("/page/app.js", headers={"Accept-Encoding": "identity"}).headers
    for headers in ({}, {"Range": "bytes=0-999"}):
        sound = client.get("/api/v1/tracks/1/audio", headers={"Accept-Encoding": "gzip", **headers})
        assert "content-encoding" not in sound.headers


def test_nothing_else_is_served(client: TestClient) -> None:
    """Modules of Python and files outside the folder are not there."""
    for path in ("files.py", "__init__.py", "__pycache__", "", "..%2fapp.py", "%2e%2e/security.py"):
        assert client.get(f"/page/{path}").status_code == 404, path


def test_the_page_works_under_a_sub_path(serve: Callable[..., TestClient]) -> None:
    """Behind a proxy at /music, all files are found by their relative addresses."""
    under = serve(root_path="/music")
    assert under.get("/music/").status_code == 200
    assert under.get("/music/page/app.js").status_code == 200
    assert under.get("/music/api/v1/session").status_code == 200
    assert under.get("/api/v1/session").status_code == 200  # a proxy that removes the path
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert under.get("/music/rest/ping", headers=link).status_code == 403


def test_licences_lie_beside_the_vendored_modules() -> None:
    """Each vendored library has its licence."""
    assert {file.name for file in (FOLDER / "vendor").glob("LICENSE*")} == {"LICENSE.preact.txt", "LICENSE.htm.txt"}
