"""Pairs become groups by single linkage: a group is what a chain of pairs joins.

Wrong bits add up along a chain, and few are allowed: two files that are both close to a third are one recording, also
where they begin too far apart to be compared with each other. Groups of one recording are joined by nothing else than
that. Groups of one work join recordings, and have all of their files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.duplicates.recordings import SAME_RECORDING, SAME_WORK, Verdict


@dataclass(frozen=True)
class Link:
    """Two tracks and what they are to each other."""

    first: int
    second: int
    verdict: Verdict


@dataclass(frozen=True)
class Group:
    """Two tracks or more, rising, and the score of the weakest pair that counts."""

    track_ids: tuple[int, ...]
    score: float


def recordings(links: Sequence[Link]) -> list[Group]:
    """The groups of one recording."""
    same = [link for link in links if link.verdict.kind == SAME_RECORDING]
    return _joined(same, same)


def works_of(links: Sequence[Link]) -> list[Group]:
    """The groups of two recordings or more of one work, scored by the pairs between recordings."""
    same = [link for link in links if link.verdict.kind == SAME_RECORDING]
    recording = {track_id: i for i, group in enumerate(_joined(same, same)) for track_id in group.track_ids}
    works = [link for link in links if link.verdict.kind == SAME_WORK]
    between = [link for link in works if recording.get(link.first, -1) != recording.get(link.second, -2)]
    return _joined([*same, *between], between)


def _joined(links: Sequence[Link], counted: Sequence[Link]) -> list[Group]:
    """The connected components that hold a counted link."""
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
