"""Running: one look of a pilot after the other: read, judge, ramp, stop. It may be killed at any point.

Everything is decided by files: the design, the journal, and what the gateway wrote. A step that changes the policy is
written in three places in this order: the version aside, the journal's line with its hash, the policy folder; then the
journal says that it is in force. Whoever starts again finds where it stopped and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from breakeven import clock
from breakeven.errors import PilotError
from breakeven.pilot import pilot_lock
from breakeven.pilot import policy_steps as steps
from breakeven.pilot.design import Design
from breakeven.pilot.design_file import PROMISED_NAME, DesignFile, promise, read_design
from breakeven.pilot.journal import POLICY_EVENTS, Entry, Journal, PilotState, state_of
from breakeven.pilot.next_step import is_decided, is_over, next_shares, stop_reasons, with_stops
from breakeven.pilot.observations import Evidence
from breakeven.pilot.promise_kept import IS_EDITED, against_journal, edited_problems, journal_problems, policy_problems
from breakeven.pilot.reading.evidence import EvidenceReader, nothing_seen
from breakeven.pilot.reading.read import write_rejects_aside
from breakeven.pilot.refusals import (
    check_promote,
    check_restore,
    check_roll_back,
    check_start,
    check_stop,
    is_in_force,
    not_rolled_back,
)
from breakeven.pilot.rollout_watch import TaskWatch, floors, watched
from breakeven.pilot.verdict import Verdict
from breakeven.routing.policy_document import PolicyDocument, PricedModel

BEFORE_FOLDER: Final = "policy-before"
"""The policy as it was before the pilot, and before a promotion: what is gone back to."""
IN_FORCE: Final = "in_force"
NOT_OURS: Final = "The policy in force is not this pilot's, so it was left as it is."
Step = Callable[[str], None]
"""Told before each write; tests end there."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a pilot says at one moment."""

    found: DesignFile
    state: PilotState
    evidence: Evidence
    verdict: Verdict | None
    """None before it has started."""
    entries: tuple[Entry, ...]
    watch: tuple[TaskWatch, ...] = ()
    """Of a promoted candidate."""

    @property
    def design(self) -> Design:
        """The design by which it is judged."""
        return self.found.design


class Pilot:
    """One pilot, in its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        outcome_files: tuple[Path, ...] = (),
        prices: tuple[PricedModel, ...] = (),
        now: Callable[[], datetime] = clock.now,
        step: Step = lambda _name: None,
    ) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        self._now = now
        self._step = step
        self._outcome_files = outcome_files
        self._prices = prices
        self._reader: EvidenceReader | None = None

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else changes this pilot meanwhile; PilotError where somebody does."""
        return pilot_lock.alone(self.folder)

    def is_watched(self) -> bool:
        """Whether somebody else watches or changes this pilot now."""
        return pilot_lock.is_taken(self.folder)

    def start(self) -> Entry:
        """Promise the design, and put its trial into the gateway's policy."""
        found = read_design(self.folder)
        state = state_of(self.journal.entries())
        if not state.design_hash and not journal_problems(found):  # a start that was cut off promised nothing
            (self.folder / PROMISED_NAME).unlink(missing_ok=True)
            found = read_design(self.folder)
        check_start(found, state)
        is_edited = found.is_edited
        found = promise(self.folder)
        share = steps.first_share_fraction(found.design)
        shares = {each.task: share for each in found.design.tasks}
        words = f"Started: {_mode_words(found.design, share)}."
        self._keep_before(found.design)
        return self._write(
            found,
            Entry(
                self._at(),
                "started",
                words,
                share_fraction=share,
                detail={"design_hash": found.hash, "share_by_task": shares, IS_EDITED: is_edited},
            ),
            lambda document, now: steps.with_trial(document, steps.trial_of(found.design, found.trial_name, now)),
        )

    def settle(self) -> bool:
        """Finish a step that was cut off; whether there was one."""
        entries = self.journal.entries()
        last = next((each for each in reversed(entries) if each.event in (*POLICY_EVENTS, IN_FORCE)), None)
        if last is None or last.event == IN_FORCE or not last.policy_hash:
            return False
        folder = Path(read_design(self.folder).design.policy_folder)
        current = steps.current_policy(folder)
        if (current.hash if current is not None else "") == last.over_hash:
            waiting = steps.current_policy(self.folder / steps.NEXT_FOLDER)
            if waiting is None or waiting.hash != last.policy_hash:
                raise PilotError(
                    f"{self.folder / steps.NEXT_FOLDER} does not hold the version {last.policy_hash[:12]} that the "
                    "journal promises; put the folder back, or end the pilot with `breakeven pilot stop`"
                )
            self._step("policy")
            steps.written(waiting.document, folder)
        self._step("in_force")
        self.journal.add(Entry(self._at(), IN_FORCE, "The version is in the policy folder.", last.policy_hash))
        return True

    def look(self) -> Look:
        """Read and judge; changes nothing but the file of rejects. The first look at files promises the design."""
        found = read_design(self.folder)
        if found.design.mode == "offline":
            self._promise_offline(found)
            found = read_design(self.folder)
        entries = self.journal.entries()
        state = state_of(entries)
        found = against_journal(found, state)
        now_s = self._now().timestamp()
        is_offline = found.design.mode == "offline"
        if state.started_unix_s is None and not is_offline:
            lost = journal_problems(found)
            return Look(found, state, Evidence(nothing_seen(found.design), lost), None, entries)
        read = self._evidence_reader(found.design).read(found, entries, now_s)
        write_rejects_aside(read, self.folder)
        more = (*edited_problems(entries), *policy_problems(found, state))
        evidence = replace(read.evidence, problems=(*read.evidence.problems, *more))
        verdict = _judged(found, evidence, state, now_s)
        watch: tuple[TaskWatch, ...] = ()
        if state.promoted_tasks:
            later = self._evidence_reader(found.design).read(found, entries, now_s, watches_promoted=True)
            floor = _floor_by_task(entries)
            watch = watched(later.evidence.observations, floor, state.promoted_tasks)
        return Look(found, state, evidence, verdict, entries, watch)

    def _promise_offline(self, found: DesignFile) -> None:
        """What was promised is what the first look judges; the journal's line and the copy must both be there."""
        entries = self.journal.entries()
        if state_of(entries).design_hash:
            return
        self._evidence_reader(found.design).read(found, entries, self._now().timestamp())  # else nothing is judged
        promised = promise(self.folder)
        words = f"Promised: the design (hash {promised.hash[:12]}), by which these files are judged from now on."
        detail = {"design_hash": promised.hash, IS_EDITED: found.is_edited}
        self.journal.add(Entry(self._at(), "promised", words, detail=detail))

    def act(self, look: Look, *, promotes: bool = False, rolls_back: bool = False) -> tuple[Entry, ...]:
        """What follows from a look: stop, ramp, promote, note; the entries that were written."""
        verdict, state = look.verdict, look.state
        if verdict is None:
            return ()
        done: list[Entry] = []
        if verdict.answer != state.answer:
            done.append(self._note("verdict", verdict.sentence, {"answer": verdict.answer}))
        if state.promoted_tasks:
            return (*done, *self._after_promotion(look, rolls_back=rolls_back))
        if not state.is_running:
            return tuple(done)
        done += self._stops(look)
        state = state_of(self.journal.entries())
        if not state.is_running:
            return tuple(done)
        if verdict.answer == "no":
            done.append(self.stop(f"The verdict is no: {verdict.sentence.removeprefix('No: ')}"))
        elif verdict.answer == "yes" and promotes and self.is_decided(look):
            done.append(self.promote(look, keeps_watch=True))
        elif is_over(look.design, state, self._now().timestamp()):
            done.append(
                self.stop(f"The {look.design.days_max_days:g} days of the design are over; the verdict stands.")
            )
        else:
            done += self._ramps(look, state)
        return tuple(done)

    def is_decided(self, look: Look) -> bool:
        """Whether nothing more is to be waited for."""
        now_s = self._now().timestamp()
        return look.verdict is not None and is_decided(look.verdict, look.design, look.state, now_s)

    def stop(self, why: str) -> Entry:
        """Take the trial out of the policy for good: everybody is served as before."""
        entries = self.journal.entries()
        state = state_of(entries)
        found = against_journal(read_design(self.folder), state)
        check_stop(found, state, entries)
        entry = Entry(self._at(), "stopped", why)
        return self._write(found, entry, lambda document, _now: steps.stopped(document, found.trial_name))

    def promote(self, look: Look, *, keeps_watch: bool) -> Entry:
        """Give the accepted tasks to the candidate. `keeps_watch`: the gateway goes on judging its answers."""
        tasks = look.verdict.accepted_tasks if look.verdict is not None else ()
        design = look.design
        check_promote(look.found, look.state, look.entries, tasks)
        self._keep_before(design)
        names = ", ".join(each or "all requests" for each in tasks)
        entry = Entry(
            self._at(),
            "promoted",
            f"Promoted: the candidate takes {names}.",
            tasks=tasks,
            detail={"floor_by_task": floors(design, look.verdict), "keeps_watch": keeps_watch},
        )
        name = look.found.trial_name
        return self._write(
            look.found,
            entry,
            lambda document, _now: steps.given_over(document, design, name, tasks, keeps_watch=keeps_watch),
        )

    def changed_since(self, signature: Any) -> tuple[bool, Any]:
        """Whether a file changed whose content counts, and the new signature."""
        found = read_design(self.folder)
        now = (*self._evidence_reader(found.design).signature(), len(self.journal.entries()))
        return now != signature, now

    def _stops(self, look: Look) -> list[Entry]:
        """Tasks whose guards have fired, or whose candidate is proven inferior, are taken out."""
        assert look.verdict is not None
        reasons = stop_reasons(look.verdict, look.design)
        new = {task: why for task, why in reasons.items() if task not in look.state.stopped_why}
        if not new:
            return []
        done = []
        for task, why in new.items():
            name = task or "all requests"
            done.append(
                self._write(
                    look.found,
                    Entry(self._at(), "stopped_task", f"Stopped {name}: {why}", tasks=(task,), detail={"why": why}),
                    self._trial_maker(look.found),
                )
            )
        return done

    def _ramps(self, look: Look, state: PilotState) -> list[Entry]:
        """The next step of a canary, for all tasks that have seen enough at theirs."""
        if look.design.mode != "canary" or state.started_unix_s is None:
            return []
        shares = next_shares(look.design, look.evidence.observations, state, self._now().timestamp())
        if shares == dict(state.share_by_task) or policy_problems(look.found, state):
            return []
        most = max(shares.values())
        names = ", ".join(f"{task or 'all requests'} {100 * share:.0f} %" for task, share in shares.items())
        entry = Entry(self._at(), "ramped", f"Ramped: {names}.", share_fraction=most, detail={"share_by_task": shares})
        return [self._write(look.found, entry, self._trial_maker(look.found))]

    def _after_promotion(self, look: Look, *, rolls_back: bool) -> list[Entry]:
        alarms = [each for each in look.watch if each.is_alarm]
        if not alarms or look.state.alarms_count:
            return []
        words = " ".join(each.words for each in alarms)
        is_ours = rolls_back and is_in_force(look.found, look.state)
        if rolls_back and not is_ours:
            words += f" {not_rolled_back()}"
        done = [self._note("alarm", words, {"tasks": [each.task for each in alarms]})]
        if is_ours:
            done.append(self.roll_back())
        return done

    def roll_back(self) -> Entry:
        """Put the policy from before the promotion in force again."""
        entries = self.journal.entries()
        state = state_of(entries)
        found = against_journal(read_design(self.folder), state)
        before = steps.current_policy(self.folder / BEFORE_FOLDER)
        check_roll_back(found, state, before, self.folder / BEFORE_FOLDER)
        assert before is not None
        document = replace(before.document, trial=None)
        entry = Entry(self._at(), "rolled_back", "Rolled back: the policy from before the promotion is in force.")
        return self._write(found, entry, lambda _document, _state: document)

    def _trial_maker(self, found: DesignFile) -> Callable[[PolicyDocument, PilotState], PolicyDocument]:
        return lambda document, now: steps.carried_on(document, found.design, found.trial_name, now)

    def _write(
        self, found: DesignFile, entry: Entry, made: Callable[[PolicyDocument, PilotState], PolicyDocument]
    ) -> Entry:
        """Carry out a step that changes the policy; `made` gets the policy that is there and the state after it.

        Where it gives back that very policy nothing is written, and the step has no version.
        """
        folder = Path(found.design.policy_folder)
        current = steps.current_policy(folder)
        document = steps.first_policy(found.design) if current is None else current.document
        after = state_of((*self.journal.entries(), entry))
        self._step("aside")
        wanted = made(document, after)
        if wanted is document:  # it has no part of this pilot any more: what is there stays as it is
            is_own = current is not None and current.hash == after.policy_hash
            entry = entry if is_own else replace(entry, words=f"{entry.words} {NOT_OURS}")
            self._step("journal")
            self.journal.add(entry)
            return entry
        new = steps.written(wanted, self.folder / steps.NEXT_FOLDER)
        entry = replace(entry, policy_hash=new.hash, over_hash="" if current is None else current.hash)
        self._step("journal")
        self.journal.add(entry)
        self._step("policy")
        steps.written(new.document, folder)
        self._step("in_force")
        self.journal.add(Entry(self._at(), IN_FORCE, "The version is in the policy folder.", new.hash))
        return entry

    def _keep_before(self, design: Design) -> None:
        """Keep the policy without a trial as it is, to go back to."""
        current = steps.current_policy(Path(design.policy_folder))
        document = steps.first_policy(design) if current is None else current.document
        steps.written(replace(document, trial=None), self.folder / BEFORE_FOLDER)

    def _note(self, event: str, words: str, detail: Mapping[str, Any]) -> Entry:
        entry = Entry(self._at(), event, words, detail=detail)
        self.journal.add(entry)
        return entry

    def restore(self) -> Entry:
        """Put the trial into the policy that somebody put in its place."""
        entries = self.journal.entries()
        state = state_of(entries)
        found = against_journal(read_design(self.folder), state)
        check_restore(found, state)
        words = "Restored: the trial is in the policy that was put in its place."
        return self._write(
            found,
            Entry(self._at(), "restored", words),
            lambda document, now: steps.restored(document, found.design, found.trial_name, now),
        )

    def _evidence_reader(self, design: Design) -> EvidenceReader:
        if self._reader is None or self._reader.design != design:
            self._reader = EvidenceReader(self.folder, design, self._outcome_files, self._prices)
        return self._reader

    def _at(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _judged(found: DesignFile, evidence: Evidence, state: PilotState, now_unix_s: float) -> Verdict:
    from breakeven.pilot.judgement import verdict

    said = verdict(
        found.design,
        evidence,
        found.is_changed,
        now_unix_s,
        design_hash=found.hash,
        started_unix_s=state.started_unix_s,
    )
    return with_stops(said, state, found.design)


def _floor_by_task(entries: tuple[Entry, ...]) -> dict[str, float]:
    said = next(each for each in reversed(entries) if each.event == "promoted")
    return {task: float(value) for task, value in said.detail.get("floor_by_task", {}).items()}


def _mode_words(design: Design, share_fraction: float) -> str:
    names = ", ".join(each.task or "all requests" for each in design.tasks)
    models = " ".join(dict.fromkeys(each.candidate_model for each in design.tasks))
    if design.mode == "shadow":
        return f"{models} gets copies of {100 * share_fraction:.0f} % of {names}; nobody sees its answers"
    return f"{models} answers {100 * share_fraction:.0f} % of {names}"
