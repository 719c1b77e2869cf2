"""The checks of a library. Each yields problems; with `repair` it removes only data that can be computed again."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.db import encoders, get_setting
from engine.db.damage import bad_measurements, bad_signatures, remove_measurements, remove_signatures
from engine.db.files import known_files, roots
from engine.db.integrity import (
    dangling_rows,
    database_problems,
    remove_dangling_rows,
    renew_search_texts,
    signatures_without_segments,
    stale_search_texts,
)
from engine.db.text import displayable
from engine.doctor.results import CheckReport, Finding
from engine.errors import EncoderError, LibraryError, reason_of
from engine.models.weights_files import check_digest, find_encoder, is_retired, shipped_ids
from engine.runtime.encoder_choice import is_installed
from engine.session import LibrarySession
from engine.util.text import counted
from engine.util.unfinished import remove_unfinished, unfinished

LEAST_FREE = 256 * 2**20  # bytes; below it an indexing run may fail
EARLIEST = 1_577_836_800  # 2020-01-01: an earlier clock is wrong
AHEAD_SECONDS = 86_400.0
NAMED = 3  # examples in a message


@dataclass(frozen=True)
class Problem:
    """A finding without the name of its check, which the registry adds; see `Finding`."""

    severity: str
    message: str
    hint: str
    repaired: bool = False


Check = Callable[[LibrarySession, bool], Iterable[Problem]]


def check_library(session: LibrarySession, repair: bool) -> CheckReport:
    """Run all checks; see `Engine.check`."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            found = list(check(session, repair))
        except LibraryError as error:  # usually damage that an earlier check has reported
            found = [] if findings else [Problem("error", str(error), "restore a backup: engine restore FILE")]
        findings += [Finding(name, **vars(problem)) for problem in found]
        if name == "database" and found:
            return CheckReport(("database",), tuple(findings))  # the other checks would fail on the damage
    return CheckReport(tuple(CHECKS), tuple(findings))


def _database(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        problems = database_problems(connection)
    for problem in problems:
        yield Problem(
            "error",
            f"the library's file is damaged: {problem}",
            "restore a backup (engine restore FILE), or move the library away and index again",
        )


def _references(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        dangling = dangling_rows(connection)
    if dangling and repair:
        with session.database.write() as connection:
            remove_dangling_rows(connection)
            left = dangling_rows(connection)
    for table, count in dangling.items():
        yield Problem(
            "error",
            f"{counted(count, 'row')} of {table} without a track",
            "engine doctor --repair sets them aside" if table == "plays" else "engine doctor --repair removes them",
            repaired=repair and table not in left,
        )


def _signatures(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        bad = bad_signatures(connection, _dimensions(session))
        unexplained = signatures_without_segments(connection)
    if bad:
        if repair:
            with session.database.write() as connection:
                remove_signatures(connection, [each.signature_id for each in bad])
        yield Problem(
            "error",
            f"{counted(len(bad), 'damaged signature')} (not finite unit vectors, or the wrong length): "
            f"{_examples(each.path for each in bad)}",
            "engine doctor --repair removes them, then engine index PATH computes them again",
            repaired=repair,
        )
    if unexplained:
        yield Problem(
            "warning",
            f"{counted(unexplained, 'signature')} without segments, which `engine explain` needs",
            "remove these tracks and index them again",
        )


def _dimensions(session: LibrarySession) -> dict[str, int]:
    try:
        return {session.encoder_id: session.file.dimensions}
    except EncoderError:  # `_weights` reports it
        return {}


def _measurements(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        bad = bad_measurements(connection)
    if not bad:
        return
    if repair:
        with session.database.write() as connection:
            remove_measurements(connection, bad)
    yield Problem(
        "error",
        f"{counted(len(bad), 'damaged fingerprint or descriptor', 'damaged fingerprints or descriptors')} "
        f"of rhythm and harmony: {_examples(e.path for e in bad)}",
        "engine doctor --repair removes them; engine index --features PATH and engine duplicates compute them again",
        repaired=repair,
    )


def _search(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        stale = stale_search_texts(connection)
    if not stale:
        return
    if repair:
        with session.database.write() as connection:
            renew_search_texts(connection, stale)
    yield Problem(
        "error",
        f"text search has outdated tags for {counted(len(stale), 'track')}",
        "engine doctor --repair rewrites its texts",
        repaired=repair,
    )


def _index(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        held = encoders(connection)
    for each in held:
        if each.encoder != session.encoder_id:
            continue
        store = session.store(each.coverage)
        store.snapshot()  # writes the file of a small library if it is missing
        path = store.damaged_file()
        if path is None:
            continue
        if repair:
            store.compact()
        yield Problem(
            "warning",
            f"the index file {displayable(path)} is missing or damaged; answers come from the library",
            "engine doctor --repair writes it again",
            repaired=repair,
        )


def _weights(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    for name in shipped_ids():
        try:
            check_digest(find_encoder(name))
        except EncoderError as error:
            yield Problem(
                "error",
                f"the weights of {name} are missing or damaged: {error}",
                "install the package again: pip install --force-reinstall music-engine",
            )
    with session.database.read() as connection:
        for each in {count.encoder for count in encoders(connection)}:
            if not is_retired(each) and not is_installed(each, get_setting(connection, f"weights {each}")):
                yield Problem(
                    "warning",
                    f"the weights of {each} are not installed: its stored signatures can still be searched, "
                    "but no file can be added",
                    "install them where they were, or index with another encoder: engine --encoder NAME index PATH",
                )


def _files(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    with session.database.read() as connection:
        paths = [path for path, state in known_files(connection).items() if state.track_id is not None]
        folders = roots(connection)
    away = [folder for folder in folders if not os.path.lexists(folder)]
    if away:
        yield Problem(
            "warning",
            f"{counted(len(away), 'indexed folder')} cannot be found: {_examples(away)}",
            "mount the disk, or follow a move: engine relocate OLD NEW",
        )
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing and not away:
        yield Problem(
            "warning",
            f"{len(missing)} of {len(paths)} tracks without a file: {_examples(missing)}",
            "engine index --prune PATH removes them, engine relocate OLD NEW follows a move",
        )


def _leftovers(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    library = session.database.path
    found = remove_unfinished(library) if repair else unfinished(library)
    if found:
        yield Problem(
            "warning",
            f"{counted(len(found), 'temporary file')} of a run that was killed: {_examples(found)}",
            "engine doctor --repair removes them, and so does the next indexing",
            repaired=repair,
        )


def _space(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    folder = session.database.path.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:  # as some network file systems give
        yield Problem(
            "warning",
            f"the free space beside the library is unknown: {reason_of(error)}",
            f"look whether the disk of {displayable(folder)} is connected and has room",
        )
        return
    if free < LEAST_FREE:
        yield Problem(
            "warning",
            f"only {free // 2**20} MiB are free beside the library",
            "free some space before indexing",
        )


def _permissions(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    path = session.database.path
    for each in (path, *(f for ending in ("faiss", "safetensors") for f in path.parent.glob(f"{path.name}*.{ending}"))):
        mode = stat.S_IMODE(each.stat().st_mode)
        if mode & 0o077:
            if repair:
                each.chmod(mode & ~0o077)
            yield Problem(
                "warning",
                f"other users may read {displayable(each)} ({mode:04o})",
                f"engine doctor --repair, or: chmod 600 {displayable(each)}",
                repaired=repair,
            )
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        yield Problem(
            "warning",
            f"{displayable(path)} or its folder is not writable: the library is read-only",
            "make both writable before indexing",
        )


def _clock(session: LibrarySession, repair: bool) -> Iterator[Problem]:
    now, modified = time.time(), session.database.path.stat().st_mtime
    if now < EARLIEST or modified > now + AHEAD_SECONDS:
        yield Problem(
            "warning",
            f"this computer's clock shows {time.strftime('%Y-%m-%d')}, before the library's last change",
            "set the clock: plays are stored with their time",
        )


CHECKS: dict[str, Check] = {
    "database": _database,
    "references": _references,
    "signatures": _signatures,
    "measurements": _measurements,
    "search": _search,
    "index": _index,
    "weights": _weights,
    "files": _files,
    "leftovers": _leftovers,
    "space": _space,
    "permissions": _permissions,
    "clock": _clock,
}


def _examples(paths: Iterable[bytes | Path]) -> str:
    listed = [displayable(path) for path in paths]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
