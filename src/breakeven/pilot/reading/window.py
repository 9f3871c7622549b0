"""Window: which Calls are a pilot's: by the versions of the policy that it wrote, and by when; the others are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.pilot.journal import Entry, unix_s
from breakeven.pilot.observations import Flags, Floats
from breakeven.pilot.reading.trial_rows import ARM_NAMES
from breakeven.routing.trial import CANDIDATE_ARM

PICK_UP_S: Final = 30.0
"""A gateway has a new version in force after so long; requests under way may still carry the one before."""
SKEW_S: Final = 5.0
"""Clocks of two machines may differ by so much before it is called skew."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is a pilot's."""

    started_unix_s: float
    ended_unix_s: float | None
    now_unix_s: float
    policy_hashes: frozenset[str]
    """Versions whose Calls count; none where no policy was written (an imported store)."""
    own_hashes: frozenset[str]
    """All versions that the pilot wrote."""
    over_hashes: frozenset[str]
    """Versions that were in force before them."""
    written_unix_s: float
    """When the last version was written."""
    promoted_hashes: frozenset[str] = frozenset()
    """Of them, those from a promotion on."""
    watches_promoted: bool = False
    """Whether it is the window after a promotion: then every Call that the candidate may have answered counts."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Calls, by whether they are the pilot's."""

    ours: pa.Table
    swapped_count: int = 0
    """Calls by versions that the pilot did not write."""
    swapped_hashes: tuple[str, ...] = ()
    before_count: int = 0
    """Calls by the version from before the pilot though it was replaced long ago, or by none."""
    early_count: int = 0
    """Of the pilot's: Calls that began before it did."""
    future_count: int = 0
    """... that have not begun yet."""
    backwards_count: int = 0
    """... that end before they begin."""


def window_of(entries: tuple[Entry, ...], now_unix_s: float, *, watches_promoted: bool = False) -> Window:
    """The window of a pilot's evidence; `watches_promoted`: of what came after its candidate was promoted."""
    started = [each for each in entries if each.event == "started"]
    promoted_at = next((i for i, each in enumerate(entries) if each.event == "promoted"), len(entries))
    counted = entries[promoted_at:] if watches_promoted else entries[:promoted_at]
    written = [each for each in entries if each.policy_hash]
    first = entries[promoted_at] if watches_promoted else started[0]
    ended = [each for each in counted if each.event in ("stopped", "rolled_back")]
    return Window(
        started_unix_s=unix_s(first.at),
        ended_unix_s=unix_s(ended[-1].at) if ended else None,
        now_unix_s=now_unix_s,
        policy_hashes=frozenset(each.policy_hash for each in counted if each.policy_hash),
        own_hashes=frozenset(each.policy_hash for each in written),
        over_hashes=frozenset(each.over_hash for each in written),
        written_unix_s=max((unix_s(each.at) for each in written), default=unix_s(first.at)),
        promoted_hashes=frozenset(each.policy_hash for each in entries[promoted_at:] if each.policy_hash),
        watches_promoted=watches_promoted,
    )


def relevant(calls: pa.Table, window: Window) -> pa.Table:
    """The Calls that may matter to a pilot, now or later: those dealt to arms, and those that ought to have been.

    What the pilot's own policies served outside of any trial is nothing to it, and may be most of the traffic.
    """
    if not window.policy_hashes:
        return calls
    start = _starts(calls)
    hashes = pc.fill_null(calls.column("policy_hash"), "")
    is_known = _among(hashes, window.own_hashes)
    was_before = ~is_known & _among(hashes, window.over_hashes | {""})
    plain = (is_known & ~_among(hashes, window.promoted_hashes)) | (
        was_before & (start <= window.written_unix_s + PICK_UP_S)
    )
    return calls.filter(pa.array(~plain | _flags(pc.is_valid(calls.column("arm")))))


def sorted_calls(calls: pa.Table, window: Window) -> Sorted:
    """The Calls of the window, and how many others ought to be in it."""
    start = _starts(calls)
    has_arm = _flags(pc.is_in(calls.column("arm"), value_set=pa.array(ARM_NAMES)))
    if not window.policy_hashes:
        inside = has_arm & (start >= window.started_unix_s - SKEW_S)
        return _counted(calls, start, inside, window)
    hashes = pc.fill_null(calls.column("policy_hash"), "")
    end = np.inf if window.ended_unix_s is None else window.ended_unix_s
    is_ours = _among(hashes, window.policy_hashes) & (start <= end + PICK_UP_S)
    is_known = _among(hashes, window.own_hashes)
    was_before = ~is_known & _among(hashes, window.over_hashes | {""})
    inside_time = (start >= window.started_unix_s) & (start <= end)
    strange = ~is_known & ~was_before & inside_time
    late = was_before & (start > window.written_unix_s + PICK_UP_S) & inside_time
    names = sorted(set(hashes.filter(pa.array(strange)).to_pylist()))
    if window.watches_promoted:
        calls, has_arm = _as_candidates(calls), np.ones(len(start), dtype=np.bool_)
    found = _counted(calls, start, is_ours & has_arm, window)
    return Sorted(
        found.ours,
        int(strange.sum()),
        tuple(names),
        int(late.sum()),
        found.early_count,
        found.future_count,
        found.backwards_count,
    )


def _counted(calls: pa.Table, start: Any, inside: Flags, window: Window) -> Sorted:
    ours = calls.filter(pa.array(inside))
    begun = start[inside]
    duration = np.asarray(pc.fill_null(ours.column("duration_s"), 0.0).to_numpy(), dtype=np.float64)
    return Sorted(
        ours,
        early_count=int((begun < window.started_unix_s - SKEW_S).sum()),
        future_count=int((begun > window.now_unix_s + SKEW_S).sum()),
        backwards_count=int((duration < 0).sum()),
    )


def _as_candidates(calls: pa.Table) -> pa.Table:
    """Calls without an arm as the candidate's: after a promotion nothing is dealt any more."""
    at = calls.schema.get_field_index("arm")
    return calls.set_column(at, calls.schema.field(at), pc.fill_null(calls.column("arm"), CANDIDATE_ARM))


def _starts(calls: pa.Table) -> Floats:
    found: Floats = calls.column("start_time").cast(pa.int64()).to_numpy().astype(np.float64) / 1e6
    return found


def _among(hashes: Any, names: frozenset[str]) -> Flags:
    return _flags(pc.is_in(hashes, value_set=pa.array(sorted(names), type=pa.string())))


def _flags(column: Any) -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
