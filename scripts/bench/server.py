"""Load a server: `server.py LIBRARY [--clients 200] [--seconds 60]`.

It starts `engine serve` on the library itself, measures the idle process, lets the clients request random songs,
searches, similar tracks, paths, mixes and parts of streams, and prints for each route the number of answers, the
errors, and the median and 99th percentile of the time. Each client waits for its answer before its next request. If no
file of the library exists (`imagined.py`), streams are left out. Clients and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import httpx2

from engine import Engine

STREAMED = "bytes=0-65535"
WEIGHTS = {
    "getSong": 4,
    "search3": 2,
    "getSonicSimilarTracks": 4,
    "getSimilarSongs2": 1,
    "findSonicPath": 1,
    "stream": 4,
}
LISTENS_SECONDS = 120


class Load:
    """The clients, and their measurements."""

    def __init__(self, url: str, ids: list[int], artists: list[str], words: list[str], streams: bool) -> None:
        self.url, self.ids, self.artists, self.words = url, ids, artists, words
        self.weights = {route: weight for route, weight in WEIGHTS.items() if streams or route != "stream"}
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, int] = defaultdict(int)

    def request(self, chance: random.Random) -> tuple[str, dict[str, object], dict[str, str]]:
        """Draw a route, its parameters and headers."""
        route = chance.choices(list(self.weights), list(self.weights.values()))[0]
        parameters: dict[str, object] = {"id": chance.choice(self.ids)}
        if route == "search3":
            parameters = {"query": chance.choice(self.words)}
        elif route == "getSimilarSongs2":
            parameters = {"id": chance.choice(self.artists), "count": 20}
        elif route == "findSonicPath":
            start, end = chance.sample(self.ids, 2)
            parameters = {"startSongId": start, "endSongId": end, "count": 10}
        return route, {"f": "json", **parameters}, {"Range": STREAMED} if route == "stream" else {}

    async def client(self, number: int, until: float) -> None:
        """Send requests until the time is over."""
        chance = random.Random(number)
        async with httpx2.AsyncClient(timeout=60) as client:
            while time.monotonic() < until:
                route, parameters, headers = self.request(chance)
                began = time.monotonic()
                try:
                    answer = await client.get(f"{self.url}/rest/{route}", params=parameters, headers=headers)
                    good = answer.status_code in (200, 206) and b'"status":"failed"' not in answer.content[:200]
                except httpx2.HTTPError:
                    good = False
                self.times[route].append(time.monotonic() - began)
                self.errors[route] += not good

    async def run(self, clients: int, seconds: float) -> None:
        """Run all clients at once."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.client(number, until) for number in range(clients)))


def main() -> None:
    """Start, load, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with Engine.open(arguments.library, create=False) as library:
        catalogue = library.catalogue()
        streams = all(Path(os.fsdecode(track.path)).exists() for track in library.tracks(catalogue.tracks[:1]).values())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from engine.cli import main; main()",
        "--library",
        str(arguments.library),
        "--quiet",
    ]
    server = subprocess.Popen([*command, "serve", "--port", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url)
        httpx2.get(f"{url}/rest/getSonicSimilarTracks", params={"id": catalogue.tracks[0], "f": "json"}, timeout=120)
        print(f"{len(catalogue.tracks)} tracks; idle after the first answer: {_memory(server.pid)}")
        words = [word for album in list(catalogue.albums.values())[:1000] for word in album.name.split()]
        load = Load(url, list(catalogue.tracks), list(catalogue.artists), words or ["a"], streams)
        asyncio.run(load.run(arguments.clients, arguments.seconds))
        _print(load, arguments.seconds)
        print(f"after the load: {_memory(server.pid)}")
    finally:
        server.terminate()
        server.wait()


def _await(url: str) -> None:
    until = time.monotonic() + LISTENS_SECONDS
    while True:
        try:
            httpx2.get(f"{url}/healthz")
            return
        except httpx2.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _memory(pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    own, mapped = (int(size) // 1024 for size in re.findall(r"Rss(?:Anon|File):\s+(\d+) kB", status))
    torch = "libtorch" in Path(f"/proc/{pid}/maps").read_text()
    return f"{own} MB of its own, {mapped} MB of mapped files, torch {'' if torch else 'not '}loaded"


def _print(load: Load, seconds: float) -> None:
    total = sum(map(len, load.times.values()))
    print(f"{total / seconds:.0f} answers a second, {sum(load.errors.values())} errors")
    print("| route | share | errors | p50 ms | p99 ms |\n|---|---|---|---|---|")
    for route, times in sorted(load.times.items()):
        p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
        figures = f"{1000 * statistics.median(times):.0f} | {1000 * p99:.0f}"
        print(f"| {route} | {len(times) / total:.0%} | {load.errors[route]} | {figures} |")


if __name__ == "__main__":
    main()
