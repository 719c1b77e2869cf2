"""The views of the page in a browser: search, play, similar, why, radio, a dropped file, first visit, login.

Covers the modules of engine/server/page that draw these views.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from tests.conftest import SECONDS, write_song
from tests.server.page.conftest import serving, until

Visit = Callable[..., Any]


def playing(page: Any) -> str:
    """The title in the player's bar."""
    title: str = page.locator(".player-title").text_content()
    return title


def test_search_as_you_type_and_play(visit: Visit) -> None:
    """Typed words list tracks at once; a click on one plays it, and its clock runs."""
    page = visit()
    page.locator("#search").press_sequentially("song 12")
    page.locator(".row", has_text="Song 12").locator(".row-main").click()
    until(page, "document.querySelector('.player-position input')?.value > 0.3")
    assert playing(page) == "Song 12"
    assert page.locator(".row[data-state=playing] .row-title").first.text_content() == "Song 12"
    assert "Song 12" in page.title()


def test_nothing_found(visit: Visit) -> None:
    """Words that nothing matches are answered by advice."""
    page = visit("search?q=xyzzy")
    assert "xyzzy" in page.locator(".empty :is(h1, h2)").text_content()


def test_lists_by_genre(visit: Visit) -> None:
    """A genre's chip and a mood's filter tracks."""
    page = visit("tracks")
    page.wait_for_selector(".row-main")
    page.locator("nav.chips a", has_text=re.compile("jazz", re.IGNORECASE)).click()
    until(page, "document.querySelectorAll('.row').length === 2")
    assert page.locator(".view-head h1").text_content() == "Jazz"
    mood = page.locator("nav.chips[aria-label=Mood] a").nth(1)
    count = int(mood.locator(".chip-count").text_content())
    mood.click()
    until(page, "n => document.querySelectorAll('.row').length === n", count)


def test_albums_and_artists_lead_to_tracks(visit: Visit) -> None:
    """An artist's page lists the albums, an album's page its tracks; both play."""
    page = visit("artists")
    page.locator(".card-title", has_text="Band 11").click()
    page.locator("main .card-title").first.click()
    page.locator(".rows .row-main").click()
    page.wait_for_selector(".player-title")
    assert playing(page) == "Song 11"


def test_a_track_shows_its_sound_and_neighbours(visit: Visit) -> None:
    """Waveform, attention, genres, moods, centroids and neighbours are there; the waveform seeks by keys."""
    page = visit("track/3")
    page.wait_for_selector(".neighbours .row")
    for part in (".heat", ".bars li", ".centroid-dot", ".moments .chip"):
        page.wait_for_selector(part)
    page.locator(".waveform").focus()
    page.keyboard.press("End")
    page.wait_for_selector(".player-title")
    assert playing(page) == "Song 2"


def test_why_two_tracks_match_is_played(visit: Visit) -> None:
    """Why opens the strongest pairs of moments; played, the first track's moment is followed by the second's."""
    page = visit("track/3")
    page.locator(".why-button").first.click()
    page.wait_for_selector(".pair")
    shares = [float(text.split()[0]) for text in page.locator(".pair .bar-value").all_text_contents()]
    assert shares == sorted(shares, reverse=True)
    page.locator(".why-head .button").click()
    page.wait_for_selector(".pair b:nth-of-type(1)[data-active=true]")
    page.wait_for_selector(".pair b:nth-of-type(2)[data-active=true]")
    page.locator(".why-head .button").click()
    until(page, "!document.querySelector('.pair b[data-active=true]')")


def test_a_radio_never_repeats_and_is_steered(visit: Visit) -> None:
    """A radio's queue holds each track once; a like and a dislike become its seeds."""
    page = visit("track/1")
    page.locator(".hero .button", has_text="Radio").click()
    page.wait_for_selector(".player-title")
    page.goto(re.sub("#.*", "#/queue", page.url))
    page.wait_for_selector(".radio-steer .chip")
    titles = page.locator(".rows .row-title").all_text_contents()
    assert len(titles) == len(set(titles)) > 5
    page.keyboard.press("n")
    page.keyboard.press("l")
    until(page, "document.querySelectorAll('.radio-steer > div:first-child .chip').length === 2")
    page.keyboard.press("x")
    page.wait_for_selector(".radio-steer > div:nth-child(2) .chip")


def test_the_queue_is_ordered_and_cleared(visit: Visit) -> None:
    """Entries move, go and are put into the smoothest order."""
    page = visit("tracks")
    page.locator(".view-head .button", has_text="Play").click()
    page.goto(re.sub("#.*", "#/queue", page.url))
    rows = page.locator("section:nth-of-type(3) .row")
    rows.first.wait_for()
    first, second = rows.nth(0).locator(".row-title").text_content(), rows.nth(1).locator(".row-title").text_content()
    rows.first.get_by_role("button", name=f"Move {first} down").click()
    until(page, "t => document.querySelector('section:nth-of-type(3) .row-title').textContent === t", second)
    count = rows.count()
    rows.first.get_by_role("button", name=f"Remove {second}").click()
    until(page, "n => document.querySelectorAll('section:nth-of-type(3) .row').length === n", count - 1)
    page.locator(".view-head .button", has_text="Clear").click()
    until(page, "document.querySelectorAll('.rows .row').length === 1")


def test_a_dropped_file_is_compared(visit: Visit, tmp_path: Path) -> None:
    """A file dropped on the page shows its genre, moments and neighbours."""
    song = write_song(tmp_path / "mine.wav", 3, seconds=SECONDS)
    page = visit()
    with page.expect_file_chooser() as chooser:
        page.locator(".file-button").click()
    chooser.value.set_files(song)
    page.wait_for_selector(".neighbours .row", timeout=120_000)  # a process loads the network first
    assert page.locator("h1").text_content() == "mine.wav"
    assert page.locator(".neighbours .row-title").first.text_content() == "Song 3"
    assert page.locator(".moments .chip").count() > 0


def test_a_file_dropped_by_the_mouse_starts_an_upload(visit: Visit) -> None:
    """Dropping uploads; a file without sound is answered in one line."""
    page = visit("albums")
    page.wait_for_selector(".card")
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["no sound"], "note.txt"));
            for (const name of ["dragover", "drop"])
                window.dispatchEvent(new DragEvent(name, { dataTransfer: carried, cancelable: true, bubbles: true }));
        }"""
    )
    page.wait_for_selector(".empty[role=alert]", timeout=120_000)
    assert "note.txt" in page.locator(".empty :is(h1, h2)").text_content()


def test_an_empty_library_leads_to_the_first_sound(visit: Visit, tmp_path: Path) -> None:
    """The first visit asks for a folder, shows the run, and plays."""
    (tmp_path / "music").mkdir()
    for number in range(3):
        write_song(tmp_path / "music" / f"{number}.wav", number)
    with Engine.open(tmp_path / "library.db", create=True, device="cpu") as library, serving(library) as address:
        page = visit(address=address)
        page.locator("#folder").fill(str(tmp_path / "music"))
        page.locator(".welcome-form .button").click()
        page.wait_for_selector(".shelf .card, .welcome .button.large", timeout=120_000)
        page.locator(".shelf .card-play, .welcome .button.large").first.click()
        until(page, "document.querySelector('.player-position input')?.value > 0.1")
        page.context.close()  # before its server ends


def test_an_address_that_names_nothing(visit: Visit) -> None:
    """Unknown views and ids are answered in a sentence."""
    for view in ("nonsense", "track/999999", "album/al-none"):
        page = visit(view) if view == "nonsense" else page_of(visit, view)
        assert page.locator(".empty :is(h1, h2)").text_content()


def page_of(visit: Visit, view: str) -> Any:
    """Open a view whose heading is that of its error."""
    page = visit()
    page.goto(re.sub("#.*", f"#/{view}", page.url))
    page.wait_for_selector(".empty")
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_of_the_system_and_a_chosen_one(visit: Visit, theme: str) -> None:
    """The page follows the system; a choice in the settings stays after a reload."""
    page = visit("settings", color_scheme=theme)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    other = {"light": "Dark", "dark": "Light"}[theme]
    page.get_by_label(other, exact=True).check(force=True)
    until(page, f"b => {ground} !== b", before)
    page.reload()
    page.wait_for_selector("h1")
    assert page.evaluate(ground) != before
