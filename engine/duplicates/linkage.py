"""Groups from pairs by single linkage: the connected components of the links.

Bit errors at most add up along a chain, and the limit is low: two files close to a third are one recording, even if
their offset is too large to compare them directly. Only such links form groups of one recording. Groups of one work
join whole recordings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.duplicates.recordings import SAME_RECORDING, SAME_WORK, Verdict


@dataclass(frozen=True)
class Link:
    """Two tracks and their verdict."""

    first: int
    second: int
    verdict: Verdict


@dataclass(frozen=True)
class Group:
    """Two tracks or more, sorted, and the score of the weakest link."""

    track_ids: tuple[int, ...]
    score: float


def recordings(links: Sequence[Link]) -> list[Group]:
    """Return the groups of one recording."""
    same = [link for link in links if link.verdict.kind == SAME_RECORDING]
    return _joined(same, same)


def works_of(links: Sequence[Link]) -> list[Group]:
    """Return the groups of several recordings of one work, scored by links between recordings."""
    same = [link for link in links if link.verdict.kind == SAME_RECORDING]
    recording = {track_id: i for i, group in enumerate(_joined(same, same)) for track_id in group.track_ids}
    works = [link for link in links if link.verdict.kind == SAME_WORK]
    between = [link for link in works if recording.get(link.first, -1) != recording.get(link.second, -2)]
    return _joined([*same, *between], between)


def _joined(links: Sequence[Link], counted: Sequence[Link]) -> list[Group]:
    """Return the connected components that contain a counted link."""
    if not counted:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids = sorted({track_id for link in links for track_id in (link.first, link.second)})
    row = {track_id: i for i, track_id in enumerate(ids)}
    ends = [row[link.first] for link in links], [row[link.second] for link in links]
    graph = coo_array((np.ones(len(links)), ends), shape=(len(ids), len(ids)))
    labels = connected_components(graph, directed=False)[1].tolist()
    members, scores = defaultdict(list), defaultdict(list)
    for track_id, label in zip(ids, labels, strict=True):
        members[label].append(track_id)
    for link in counted:
        scores[labels[row[link.first]]].append(link.verdict.score)
    return [Group(tuple(members[label]), min(found)) for label, found in scores.items()]
