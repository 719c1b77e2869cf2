"""Measure the weight and first paint of the server's page: `page.py LIBRARY [--runs 5]`.

It starts `engine serve` and visits views with Chromium through Playwright: once with an empty cache, and again with
the files cached by the first visit. For each view it prints requests, bytes over the wire and decoded, and the medians
of the first contentful paint, the largest one, and the time until everything has loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VIEWS = ("", "albums", "tracks", "track/1", "map")
LISTENS_SECONDS = 120
QUIET_MS = 500  # without a request, after which a view counts as loaded
OBSERVE = """window.largest = 0;
new PerformanceObserver((list) => {
  window.largest = list.getEntries().at(-1).startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });"""
READ = """() => {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const sum = (name) => entries.reduce((total, entry) => total + entry[name], 0);
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return { requests: entries.length, sent: sum("transferSize"), decoded: sum("decodedBodySize"),
    first: paint ? paint.startTime : NaN, largest: window.largest,
    loaded: Math.max(...entries.map((entry) => entry.responseEnd)) };
}"""


@contextlib.contextmanager
def serving(library: Path) -> Iterator[str]:
    """Serve a library on a free port; yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from engine.cli import main; main()", "--library", str(library), "--quiet"]
    server = subprocess.Popen([*command, "serve", "--port", str(port)])
    try:
        until = time.monotonic() + LISTENS_SECONDS
        while True:
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                break
            if time.monotonic() > until:
                raise SystemExit("the server does not answer")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def visit(context: Any, address: str) -> dict[str, float]:
    """Open a page in a new tab and return its figures."""
    tab = context.new_page()
    tab.add_init_script(OBSERVE)
    tab.goto(address)
    tab.wait_for_selector(".frame h1")
    tab.wait_for_load_state("networkidle")
    tab.wait_for_timeout(QUIET_MS)
    figures: dict[str, float] = tab.evaluate(READ)
    tab.close()
    return figures


def main() -> None:
    """Serve, visit, print."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    print("| view | visit | requests | sent kB | decoded kB | first paint ms | largest paint ms | loaded ms |")
    print("|---|---|---|---|---|---|---|---|")
    with serving(arguments.library) as address, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=["--no-sandbox", "--mute-audio"])
        for view in VIEWS:
            rounds: dict[str, list[dict[str, float]]] = {"first": [], "second": []}
            for _ in range(arguments.runs):
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                for name in rounds:
                    rounds[name].append(visit(context, f"{address}#/{view}"))
                context.close()
            for name, found in rounds.items():
                median = {key: statistics.median(each[key] for each in found) for key in found[0]}
                kilobytes = f"{median['sent'] / 1000:.0f} | {median['decoded'] / 1000:.0f}"
                times = f"{median['first']:.0f} | {median['largest']:.0f} | {median['loaded']:.0f}"
                print(f"| {view or 'home'} | {name} | {median['requests']:.0f} | {kilobytes} | {times} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
