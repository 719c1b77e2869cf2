"""The page for everybody: axe, the keyboard alone, a phone, titles from right to left."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.page.conftest import until

VIEWS = (
    "", "albums", "artists", "tracks", "search?q=song", "track/3", "playlists", "map", "queue", "duplicates",
    "indexing", "settings",
)  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Visit = Callable[..., Any]


def settle(page: Any) -> None:
    """Wait until a view shows its data."""
    until(page, "!document.querySelector('main .skeleton')")
    page.wait_for_timeout(100)


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_reports_nothing(visit: Visit, axe: str, width: int) -> None:
    """No view breaks a rule of WCAG 2.2 AA or of good practice, with a track playing and without, light or dark."""
    page = visit(color_scheme="light", viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.evaluate(axe)
    found = []
    for view in (*VIEWS, "track/3"):
        page.evaluate("view => (location.hash = `#/${view}`)", view)
        settle(page)
        if view == "track/3":
            page.locator(".why-button").first.click()
            page.wait_for_selector(".pair")
            page.locator(".hero .button", has_text=re.compile("Radio")).click()
            page.wait_for_selector(".player-title")
        found += [(view, *each) for each in violations(page, RULES)]
        page.emulate_media(color_scheme="dark")
        found += [(view, "dark", *each) for each in violations(page, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
    assert found == []


def violations(page: Any, rules: list[str]) -> list[tuple[str, str]]:
    """The rules of axe, by tag or name, that the page breaks, each with an element."""
    report = page.evaluate("rules => axe.run(document, { runOnly: rules })", rules)
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in report["violations"]]


def test_the_keyboard_alone(visit: Visit) -> None:
    """Search, choose, play, pause, list the keys and go to views without a pointer."""
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    page.keyboard.type("song 1")
    page.wait_for_selector(".virtual .row-main")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.evaluate("document.querySelector('.virtual .row-main').focus()")
    page.keyboard.press("ArrowDown")
    title = page.evaluate("document.activeElement.querySelector('.row-title').textContent")
    page.keyboard.press("Enter")
    page.wait_for_selector(".row[data-state=playing]")
    assert page.locator(".player-title").text_content() == title
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_selector(".row[data-state=paused]")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("g")
    until(page, "location.hash === '#/map'")
    page.keyboard.press("q")
    until(page, "location.hash === '#/queue'")


@pytest.mark.parametrize("width", [360, 768])
def test_no_view_is_wider_than_a_phone(visit: Visit, width: int) -> None:
    """Nothing overflows sideways, with a track playing."""
    page = visit("track/3", viewport={"width": width, "height": 740}, has_touch=True)
    page.locator(".hero .button").first.click()
    page.wait_for_selector(".player-title")
    for view in VIEWS:
        page.evaluate("view => (location.hash = `#/${view}`)", view)
        settle(page)
        wider = page.evaluate(
            """() => [document.scrollingElement, ...document.querySelectorAll('main, .player, .nav')]
                .filter((each) => each.scrollWidth > each.clientWidth + 1)
                .map((each) => each.className || each.tagName)"""
        )
        assert wider == [], view


def test_the_hidden_views_of_a_phone(visit: Visit) -> None:
    """More opens the views for which a phone's bar has no room."""
    page = visit(viewport={"width": 360, "height": 740})
    page.locator(".nav-sheet summary").click()
    page.locator(".nav-sheet a", has_text="Indexing").click()
    until(page, "location.hash === '#/indexing'")
    until(page, "!document.querySelector('.nav-sheet').open")


def test_a_television_is_used_by_arrow_keys(visit: Visit, site: str) -> None:
    """With ?tv letters are large, arrows move the focus to what lies in their direction, Escape leaves the map."""
    page = visit("tracks", address=f"{site}?tv", viewport={"width": 1920, "height": 1080})
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "26px"
    page.wait_for_selector(".row-main")
    page.locator("nav.chips a").first.focus()
    focused = "document.activeElement.matches(%r)"
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    assert page.evaluate(focused % ".row:first-child .row-main, .virtual-row:first-child .row-main")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused % ".row .star")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".row[data-state=playing]")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused % ".nav a")
    page.evaluate("location.hash = '#/map'")
    until(page, "document.querySelector('main[data-view=map] .glass')")
    page.locator(".glass").focus()
    page.keyboard.press("Escape")
    assert page.evaluate(focused % ".nav a[aria-current]")


def test_titles_keep_their_direction(visit: Visit) -> None:
    """Names in lists take their direction from their letters."""
    page = visit("tracks")
    page.wait_for_selector(".row-title")
    assert set(page.locator(".row-title").evaluate_all("all => all.map((each) => each.dir)")) == {"auto"}
