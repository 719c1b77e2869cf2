"""A browser, and servers of copies of the collection that it visits."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from engine import Engine
from engine.server.app import create_app
from engine.server.settings import ServerSettings
from tests.conftest import FirstRun

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-gpu-rasterization",  # SwiftShader would take half a core for all else that is drawn
    "--disable-gpu-compositing",
)
PATIENCE_MS = 60_000  # on a busy machine
EXPECTED = ("404", "422", "401")  # answers that the page expects and shows; browsers report them as errors


@contextlib.contextmanager
def serving(library: Engine, **settings: Any) -> Iterator[str]:
    """Serve a library on a free port; yields the page's address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(library, ServerSettings(**settings)), log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture(scope="module")
def site(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over a copy of the collection; tests of a module share it."""
    copy = tmp_path_factory.mktemp("page") / "library.db"
    shutil.copy(first_run.collection.library, copy)
    with Engine.open(copy, device="cpu") as library, serving(library) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; the tests are skipped where it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the page's tests need Playwright")
    if CHROMIUM is None:
        pytest.skip("the page's tests need Chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Open views of the page in a context of its own. At the end, no script has failed and no other host was asked."""
    faults: list[str] = []
    contexts = []

    def open_view(view: str = "", address: str = site, **options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if unexpected(said) else None)
        page.on("request", lambda request: faults.append(request.url) if foreign(request.url, address) else None)
        page.goto(f"{address}#/{view}")
        page.wait_for_selector(".frame h1, .login h1")
        return page

    yield open_view
    for context in contexts:
        context.close()
    assert faults == []


def until(page: Any, expression: str, argument: Any = None, seconds: float = 30) -> None:
    """Wait until an expression is true; Playwright's own waiting evaluates strings, which the page's policy bars."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def unexpected(said: Any) -> bool:
    """Whether a message of the console is an error that the page does not expect."""
    return said.type == "error" and not any(f"status of {code}" in said.text for code in EXPECTED)


def foreign(url: str, address: str) -> bool:
    """Whether a request leaves the server."""
    return not url.startswith((address.partition("?")[0], "blob:", "data:"))


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return gzip.decompress((Path(__file__).parent / "vendor" / "axe.min.js.gz").read_bytes()).decode()
