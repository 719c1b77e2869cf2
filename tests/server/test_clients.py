"""A real client over a real socket, in each way of logging in; many clients at once; a stop in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import uvicorn
from libopensonic import AsyncConnection

from engine import Engine
from engine.server.accounts import Accounts
from engine.server.app import create_app
from engine.server.settings import ServerSettings

CLIENTS = 20


@contextmanager
def listening(engine: Engine) -> Iterator[int]:
    """A server with accounts on a free port; gives the port."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(engine, ServerSettings(accounts=True)), port=0, log_level="error", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


async def uses(port: int, **login: object) -> None:
    """Browse, search, find alike, star, save a playlist and stream, as a player does."""
    client = AsyncConnection("http://127.0.0.1", port=port, **login)  # type: ignore[arg-type]
    try:
        assert await client.ping()
        album = await client.get_album((await client.get_album_list2("newest", 1))[0].id)
        song = album.song[0]
        found = await client.search3(song.title)
        assert song.id in {each.id for each in found.song}
        matches = await client.get_sonic_similar_tracks(song.id, 3)
        assert len(matches) == 3
        assert all(0 <= match.similarity <= 1 for match in matches)
        path = await client.find_sonic_path(song.id, matches[0].entry.id, 3)
        assert path[0].entry.id == song.id
        assert len(await client.get_similar_songs2(album.artist_id, 4)) == 4
        await client.star([song.id])
        assert song.id in {each.id for each in (await client.get_starred2()).song}
        await client.create_playlist(name="Mine", song_ids=[song.id])
        assert (await client.get_playlists())[0].song_count == 1
        sound = await client.stream(song.id, tformat="mp3", max_bit_rate=64)
        assert len(await sound.read()) > 1000
    finally:
        await client.cleanup()


@pytest.mark.parametrize("way", ["key", "password", "token"])
def test_a_real_client(engine: Engine, accounts: Accounts, way: str) -> None:
    """py-opensonic plays the library with an API key, with a password, and with tokens."""
    logins: dict[str, Callable[[], dict[str, object]]] = {
        "key": lambda: {"api_key": accounts.new_key("bob", "")},
        "password": lambda: {"username": "bob", "password": "battery staple", "legacy_auth": True},
        "token": lambda: {"username": "bob", "password": accounts.application_password("bob")},
    }
    with listening(engine) as port, ThreadPoolExecutor(1) as apart:  # other tests may leave a loop in this thread
        apart.submit(asyncio.run, uses(port, **logins[way]())).result()


def test_many_clients_at_once(engine: Engine, accounts: Accounts) -> None:
    """Twenty clients at once get the same answers as one."""
    key = accounts.new_key("ann", "")
    expected = [match.track_id for match in engine.similar(4, 5).matches]

    def asks(port: int) -> list[int]:
        async def ask() -> list[int]:
            client = AsyncConnection("http://127.0.0.1", port=port, api_key=key)
            try:
                return [int(match.entry.id) for match in await client.get_sonic_similar_tracks("4", 5)]
            finally:
                await client.cleanup()

        return asyncio.run(ask())

    with listening(engine) as port, ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(asks, [port] * CLIENTS)) == [expected] * CLIENTS
