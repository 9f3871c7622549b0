"""Evidence: what a pilot reads, again and again: Calls, what was said of them, labels; as observations and problems.

The same files give the same evidence, in whatever order and pieces they were written: rows are sorted by time and
request, and every Call counts once.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from breakeven.errors import PilotError
from breakeven.pilot.design import Design
from breakeven.pilot.design_file import DesignFile
from breakeven.pilot.journal import Entry
from breakeven.pilot.observations import BASELINE, CANDIDATE, Evidence, Flags, Floats, Observations, Problem
from breakeven.pilot.reading import problems as say
from breakeven.pilot.reading.call_table import SCHEMA, joined, without_reused_ids
from breakeven.pilot.reading.gateway_calls import GatewayReader, Stamp, is_state_folder, stamp_of, watched_files
from breakeven.pilot.reading.given_prices import with_prices
from breakeven.pilot.reading.offline import read_offline
from breakeven.pilot.reading.read import LABELS_FOLDER, REJECTS_NAME, Read, digest_of
from breakeven.pilot.reading.said_applied import applied
from breakeven.pilot.reading.said_lines import Said, SaidReader
from breakeven.pilot.reading.trial_rows import TrialRows, trial_rows
from breakeven.pilot.reading.window import Window, sorted_calls, window_of
from breakeven.routing.policy_document import PricedModel
from breakeven.routing.trial_drawing import is_audited
from breakeven.usage.ingest_report import Reject

UNDER_WAY_S: Final = 900.0
"""A copy may come so long after its request; one that has not is not there."""
Signature = tuple[tuple[str, tuple[int, int, int]], ...]


@dataclass(slots=True)
class EvidenceReader:
    """Reads the sources of one pilot; keeps what did not change."""

    folder: Path
    """Of the pilot."""
    design: Design
    outcome_files: tuple[Path, ...] = ()
    """More files of outcomes than the design names."""
    prices: tuple[PricedModel, ...] = ()
    """Of models whose Calls have no price."""
    _gateways: dict[Path, GatewayReader] = field(default_factory=dict)
    _stores: dict[Path, tuple[Any, pa.Table]] = field(default_factory=dict)
    _said: SaidReader = field(default_factory=SaidReader)
    _files_said: dict[Path, tuple[Stamp, list[Said], list[Reject]]] = field(default_factory=dict)
    _draws: dict[str, bool] = field(default_factory=dict)
    """Request -> whether it was drawn for the audit."""

    def read(
        self,
        found: DesignFile,
        entries: tuple[Entry, ...],
        now_unix_s: float,
        *,
        watches_promoted: bool = False,
    ) -> Read:
        """The evidence now. `watches_promoted`: of what came after the candidate was promoted."""
        if self.design.mode == "offline":
            return read_offline(found, self._files(), self.folder)
        window = window_of(entries, now_unix_s, watches_promoted=watches_promoted)
        calls, rejects, damaged = self._calls(window)
        said, strange = self._everything_said()
        chosen = sorted_calls(calls, window)
        known, reused = without_reused_ids(chosen.ours)
        ours, given = with_prices(known, self.prices)
        rows, copies = _counted_rows(trial_rows(ours, self.design), self.design, window)
        words = applied(rows, said, self.design, _KnownIds(calls, self._gateways))
        seen = observations(rows, words.success, words.judged, found, window, self._draws)
        rejects = (*rejects, *strange)
        return Read(
            Evidence(
                seen,
                (
                    *say.design_problem(found.changes),
                    *say.window_problems(chosen),
                    *say.damaged_problem(damaged),
                    *say.reject_problems(rejects, str(self.folder / REJECTS_NAME)),
                    *say.said_problems(words),
                    *say.reused_problem(reused),
                    *given,
                    *copies,
                    *say.model_problem(rows, self.design),
                    *say.observation_problems(seen, self.design),
                ),
                {", ".join(map(str, self._sources())): digest_of(seen)},
            ),
            rejects,
        )

    def signature(self) -> Signature:
        """Changes when a file changes whose content the evidence is made of."""
        files: list[Path] = []
        for each in (*self._sources(), self.folder / LABELS_FOLDER, self.folder / "pilot.json"):
            if each.is_file():
                files.append(each)
            elif each.is_dir() and is_state_folder(each):
                files += watched_files(each)
            elif each.is_dir():
                files += [*sorted(each.glob("*.jsonl")), *each.glob("manifest.json")]
        found = []
        for each in files:
            try:
                found.append((str(each), stamp_of(each)))
            except FileNotFoundError:
                continue
        return tuple(found)

    def _sources(self) -> tuple[Path, ...]:
        return (*map(Path, self.design.sources), *self.outcome_files)

    def _files(self) -> tuple[Path, ...]:
        return tuple(each for each in self._sources() if not each.is_dir())

    def _calls(self, window: Window) -> tuple[pa.Table, tuple[Reject, ...], list[str]]:
        tables: list[pa.Table] = []
        rejects: list[Reject] = []
        damaged: list[str] = []
        folders = [each for each in self._sources() if each.is_dir()]
        damaged += [f"{each} (no such folder yet)" for each in self._sources() if not each.exists()]
        for each in folders:
            if (each / "manifest.json").exists():
                tables.append(self._store(each, window))
            elif is_state_folder(each):
                reader = self._gateways.setdefault(each, GatewayReader(each))
                read = reader.calls(window)
                tables.append(read.table)
                rejects += read.rejects
                damaged += read.damaged
            else:
                raise PilotError(f"{each} is neither a gateway's state folder nor a store of imported calls")
        return joined(tables), tuple(rejects), damaged

    def _store(self, folder: Path, window: Window) -> pa.Table:
        from breakeven.pilot.reading.store_calls import store_calls

        stamp = stamp_of(folder / "manifest.json")
        kept = self._stores.get(folder)
        if kept is None or kept[0] != stamp:
            kept = self._stores[folder] = (stamp, store_calls(folder, window.started_unix_s))
        return kept[1]

    def _everything_said(self) -> tuple[list[Said], list[Reject]]:
        """Lines of gateways and of the label queue, then other files of outcomes."""
        lines: list[Path] = []
        for each in self._sources():
            if each.is_dir():
                lines += sorted((each / "outcomes").glob("*.jsonl"))
        lines += sorted((self.folder / LABELS_FOLDER).glob("*.jsonl"))
        said, rejects = self._said.read(lines)
        for each in self._files():
            from breakeven.pilot.reading.said_files import read_said_file

            if not each.exists():
                continue  # said with the folders
            stamp = stamp_of(each)
            kept = self._files_said.get(each)
            if kept is None or kept[0] != stamp:
                kept = self._files_said[each] = (stamp, *read_said_file(each))
            said, rejects = [*said, *kept[1]], [*rejects, *kept[2]]
        return said, rejects


class _KnownIds(Container[str]):
    """Ids of all Calls, looked up only when an outcome names one that is not in the trial."""

    def __init__(self, calls: pa.Table, gateways: dict[Path, GatewayReader]) -> None:
        self._ids: set[str] | None = None
        self._calls = calls
        self._gateways = gateways
        self._are_all = True

    def __contains__(self, name: object) -> bool:
        if self._ids is None:
            self._ids = set(self._calls.column("record_id").to_pylist())
            for each in self._gateways.values():
                found = each.ids()
                self._are_all &= found is not None
                self._ids |= found or frozenset()
        return not self._are_all or name in self._ids


def observations(
    rows: TrialRows,
    success: Floats,
    judged: Floats,
    found: DesignFile,
    window: Window,
    draws: dict[str, bool] | None = None,
) -> Observations:
    """The rows as a pilot's table, in order of time."""
    design = found.design
    end = min(window.now_unix_s, window.ended_unix_s or np.inf)
    start = np.clip(rows.start_unix_s, window.started_unix_s, max(end, window.started_unix_s))
    order = np.lexsort((rows.arm, rows.request, start))
    drawn = audited(rows, found, {} if draws is None else draws)
    return Observations(
        request_ids=tuple(rows.request_ids[order].tolist()),
        arm=rows.arm[order],
        task=rows.task[order],
        unit=rows.unit[order],
        start_unix_s=start[order],
        success=success[order],
        judged=judged[order],
        is_audited=drawn[order],
        audit_fraction=np.full(len(order), design.audit_fraction),
        cost_usd=rows.cost_usd[order],
        latency_s=rows.latency_s[order],
        is_error=rows.is_error[order],
        propensity_fraction=rows.propensity_fraction[order],
        tasks=tuple(each.task for each in design.tasks),
        tokens_in=rows.tokens_in[order],
        tokens_out=rows.tokens_out[order],
        retries_count=rows.retries_count[order],
    )


def audited(rows: TrialRows, found: DesignFile, draws: dict[str, bool]) -> Flags:
    """Whether each row's request was drawn for the audit; `draws` are those that were drawn before, and grow."""
    share, name = found.design.audit_fraction, found.trial_name
    if share <= 0 or share >= 1:
        return np.full(rows.rows_count, share >= 1)
    ids = rows.request_ids.tolist()
    draws.update({each: is_audited(name, each, share) for each in set(ids) - draws.keys()})
    return np.fromiter((draws[each] for each in ids), np.bool_, len(ids))


def _counted_rows(rows: TrialRows, design: Design, window: Window) -> tuple[TrialRows, tuple[Problem, ...]]:
    """Of a shadow: all but copies under way. Of a canary: requests that might have gone to either arm."""
    if window.watches_promoted:
        return rows, ()
    arms_count = np.bincount(rows.request, minlength=1)
    has_both = arms_count[rows.request] == 2
    if design.mode == "canary":
        return _dealt(rows, has_both)
    if not has_both.any():  # one arm is empty: said as such
        return rows, ()
    is_under_way = ~has_both & (rows.start_unix_s > window.now_unix_s - UNDER_WAY_S)
    rows, has_both = rows.at(np.flatnonzero(~is_under_way)), has_both[~is_under_way]
    alone = [int((~has_both & (rows.arm == arm)).sum()) for arm in (BASELINE, CANDIDATE)]
    drawn = int((rows.arm == BASELINE).sum())
    return rows, say.copies_problem(alone[0], drawn, alone[1])


def _dealt(rows: TrialRows, has_both: Flags) -> tuple[TrialRows, tuple[Problem, ...]]:
    """Without the requests of a task at rest, where everybody gets the baseline, and those that are in both arms."""
    at_rest = (rows.arm == BASELINE) & (rows.propensity_fraction == 1)
    twice = sorted(set(rows.request_ids[has_both].tolist()))
    return rows.at(np.flatnonzero(~at_rest & ~has_both)), say.both_arms_problem(twice)


def nothing_seen(design: Design) -> Observations:
    """The observations of a pilot that has not begun."""
    empty = trial_rows(SCHEMA.empty_table(), design)
    zero = np.zeros(0)
    return observations(
        empty, zero, zero, DesignFile(design, ""), Window(0.0, None, 0.0, frozenset(), frozenset(), frozenset(), 0.0)
    )
