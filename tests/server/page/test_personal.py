"""Likes, ratings, playlists, users and keys in a browser.

Covers favourites.js, playlists.js, parts/favourite.js, parts/users.js, views/playlists.js and views/playlist.js.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine
from engine.server.accounts import Accounts
from tests.conftest import FirstRun
from tests.server.page.conftest import serving, until
from tests.server.page.test_access import RULES

Visit = Callable[..., Any]


def show(page: Any, view: str) -> None:
    """Go to a view and wait for its heading."""
    page.evaluate("view => (location.hash = `#/${view}`)", view)
    until(page, "view => document.querySelector(`main[data-view=${view}] h1`)", view.split("/")[0].split("?")[0])


def titles(page: Any) -> list[str]:
    """The titles of the rows of a view."""
    found: list[str] = page.locator("main .row-title").all_text_contents()
    return found


def test_likes_and_ratings_by_keys_and_clicks(visit: Visit) -> None:
    """A row is liked and rated by keys, a track's view by clicks; the list of liked tracks shows both."""
    page = visit("tracks", viewport={"width": 1440, "height": 900})
    page.locator(".row-main").nth(1).focus()
    first = page.locator(".row-title").nth(1).text_content()
    page.keyboard.press("l")
    page.keyboard.press("4")
    until(page, "document.querySelectorAll('.row')[1].querySelectorAll('.rating [data-on=true]').length === 4")
    show(page, "track/3")
    with page.expect_response("**/stars/3"):
        page.locator(".hero .star").click()
    with page.expect_response("**/ratings/3"):
        page.get_by_role("radio", name="5 stars").first.check(force=True)
    page.goto(re.sub("#.*", "#/tracks?starred=true&sort=rating", page.url))
    page.reload()
    until(page, "document.querySelectorAll('.row').length === 2")
    assert titles(page) == ["Song 2", first]
    assert page.locator(".star[aria-pressed=true]").count() == 2
    page.locator("nav.chips a", has_text="Liked").click()
    until(page, "document.querySelectorAll('.row').length > 2")


def test_a_playlist_from_the_queue_to_a_file_and_back(visit: Visit, tmp_path: Path) -> None:
    """The queue is saved, the playlist renamed, shortened and downloaded; its file is imported."""
    page = visit("tracks?genre=jazz")
    page.locator(".view-head .button", has_text="Play").click()
    page.wait_for_selector(".player-title")
    show(page, "queue")
    page.get_by_role("button", name="Save as playlist").click()
    page.locator("dialog input[name=name]").fill("Evening")
    page.locator("dialog .inline-form .button").click()
    page.wait_for_selector("dialog", state="detached")
    show(page, "track/1")
    page.locator(".hero .button", has_text="Add to playlist").click()
    page.locator(".choice", has_text="Evening").click()
    page.wait_for_selector("dialog", state="detached")
    show(page, "playlists")
    page.locator(".card-title", has_text="Evening").click()
    page.wait_for_selector(".rows .row")
    before = titles(page)
    page.get_by_role("button", name=f"Remove {before[0]} from the playlist").click()
    until(page, "n => document.querySelectorAll('.rows .row').length === n", len(before) - 1)
    page.get_by_role("button", name="Rename this playlist").click()
    page.locator("main input[name=name]").fill("Night")
    page.keyboard.press("Enter")
    page.locator("h1", has_text="Night").wait_for()
    with page.expect_download() as download:
        page.locator(".hero a.button").click()
    file = tmp_path / "Night again.m3u8"
    file.write_text(f"{Path(download.value.path()).read_text()}/lost/elsewhere.flac\n")
    show(page, "playlists")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("h1", has_text="Night again").wait_for()
    page.wait_for_selector(".rows .row")
    assert titles(page) == before[1:]
    assert "elsewhere.flac" in page.locator("details.panel").text_content()
    page.get_by_role("button", name="Delete").click()
    page.locator("dialog[open] .button").first.click()
    until(page, "location.hash === '#/playlists'")
    page.wait_for_selector(".card-title")
    assert page.locator(".card-title").all_text_contents() == ["Night"]


def test_accounts(visit: Visit, first_run: FirstRun, tmp_path: Path, axe: str) -> None:
    """A wrong password is said; an administrator adds and removes a user, makes and revokes a key."""
    shutil.copy(first_run.collection.library, tmp_path / "library.db")
    with Engine.open(tmp_path / "library.db", device="cpu") as library:
        accounts = Accounts(library.database)
        accounts.add("ann", "correct horse", admin=True)
        with serving(library, accounts=True) as address:
            page = visit(address=address)
            page.locator("input[name=name]").fill("ann")
            for password, seen in (("wrong", ".problem"), ("correct horse", ".shelf")):
                page.locator("input[name=password]").fill(password)
                page.locator("form.login .button").click()
                page.wait_for_selector(seen)
            show(page, "settings")
            page.locator("input[name=label]").fill("phone")
            page.get_by_role("button", name="Make a key").click()
            key = page.locator(".secret code").text_content()
            assert accounts.by_key(key).name == "ann"
            page.locator(".stacked-form input[name=name]").fill("bob")
            page.locator(".stacked-form input[name=password]").fill("battery staple")
            page.get_by_role("button", name="Add a user").click()
            page.locator(".users summary", has_text="bob").click()
            page.evaluate(axe)
            report = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
            assert [(each["id"], each["nodes"][0]["html"][:200]) for each in report["violations"]] == []
            page.get_by_role("button", name="Revoke the key phone").click()
            page.get_by_text("No keys yet").first.wait_for()
            until(page, "document.querySelectorAll('.key-list').length === 0")
            assert accounts.by_key(key) is None
            page.get_by_role("button", name="Remove bob").click()
            page.locator(".users .button", has_text=re.compile("^Remove$")).click()
            page.locator(".users summary", has_text="bob").wait_for(state="detached")
            assert [user.name for user in accounts.all()] == ["ann"]
            page.get_by_role("button", name="Log out").click()
            page.wait_for_selector("form.login")
            page.context.close()
