"""History: what a pilot's outcomes said after each part of them, so that a reader sees how the evidence grew.

Each point is the verdict's own arithmetic on the requests up to then, with the outcomes known today: a label that came
late stands where its request was, so a past point can say more than anybody knew on that day.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.pilot.design import Design
from breakeven.pilot.observations import Observations
from breakeven.pilot.quality import qualities
from breakeven.pilot.verdict import HistoryPoint

POINTS_COUNT: Final = 32


def history(design: Design, observations: Observations, points_count: int = POINTS_COUNT) -> tuple[HistoryPoint, ...]:
    """At most `points_count` points, evenly spaced in requests; the last one is of all of them."""
    if not observations.rows_count or points_count < 1:
        return ()
    _, first, request = np.unique(np.asarray(observations.request_ids), return_index=True, return_inverse=True)
    begins = np.full(len(first), np.inf)
    np.minimum.at(begins, request, np.nan_to_num(observations.start_unix_s, nan=np.inf))
    place = np.empty(len(first), dtype=np.intp)
    place[np.lexsort((first, begins))] = np.arange(len(first))
    found = []
    for count in np.unique(np.linspace(0, len(first), points_count + 1).round().astype(np.intp))[1:]:
        part = observations.where(place[request] < count)
        tasks, overall = qualities(design, part)
        at = part.start_unix_s[np.isfinite(part.start_unix_s)]
        found.append(HistoryPoint(float(at.max()) if len(at) else 0.0, int(count), tasks, overall))
    return tuple(found)
