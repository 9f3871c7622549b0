"""Running: a pilot reaches the verdict that was planted, the policy follows, and a kill at any step is no matter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pilot.gateway_state import BASELINE, CANDIDATE, START_S, GatewayState, pairs

from breakeven.errors import PilotError
from breakeven.pilot.design import Design, RampStep, TaskPlan
from breakeven.pilot.design_file import write_design
from breakeven.pilot.journal import Journal, state_of
from breakeven.pilot.running import Look, Pilot
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from breakeven.routing.trial_drawing import drawn_fraction

BATCH_S = 600.0


class Killed(BaseException):
    """As `kill -9` would."""


@dataclass
class World:
    """A gateway that does what the policy file says, and a pilot beside it."""

    folder: Path
    mode: str
    ratio: float
    seed: int = 11
    batches_count: int = 8
    per_batch: int = 250
    at_s: float = START_S

    def __post_init__(self) -> None:
        self.state = GatewayState(self.folder / "state")
        self.policy = self.folder / "policy"
        self.pilot_folder = self.folder / "pilot"
        self.rng = np.random.default_rng(self.seed)
        save(PolicyDocument("single", (PricedModel(BASELINE),), BASELINE, created="2026-01-01"), self.policy)
        self.before = load(self.policy).hash

    def design(self, **changes: Any) -> Design:
        plan = TaskPlan("faq", BASELINE, CANDIDATE, requests_per_hour=1500.0, baseline_success_fraction=0.9)
        ramp = (RampStep(0.1, 20), RampStep(0.5, 50))
        plain: dict[str, Any] = {"name": "faq", "mode": self.mode, "tasks": (plan,), "ramp": ramp}
        plain |= {"created": "2026-11-02T08:00:00+00:00", "sources": (str(self.state.folder),)}
        return Design(**{**plain, "policy_folder": str(self.policy), "audit_fraction": 0.0, **changes})

    def pilot(self, step: Callable[[str], None] = lambda _name: None) -> Pilot:
        return Pilot(self.pilot_folder, now=lambda: datetime.fromtimestamp(self.at_s, UTC), step=step)

    def serve(self) -> None:
        """One batch of requests, by the policy in force."""
        policy = load(self.policy)
        self.state.policy_hash = policy.hash
        trial = policy.document.trial
        for base, candidate in pairs(self.rng, self.per_batch, 0.9, self.ratio):
            self.at_s += BATCH_S / self.per_batch
            name = f"{self.state.calls_count:032x}"
            part = None if trial is None else trial.part_of("faq")
            if trial is None or part is None or part.share_fraction == 0:
                self.state.call(name, self.at_s, policy.route(task="faq").model or "")
            elif part.mode == "shadow":
                self.state.shadow(name, self.at_s, base, candidate)
            else:
                is_new = drawn_fraction(trial.pilot, name) < part.share_fraction
                self.state.canary(name, self.at_s, is_new, part.share_fraction, candidate if is_new else base)
        self.state.written(compacted=int(self.at_s) % 2 == 0)

    def run(self, step: Callable[[str], None] = lambda _name: None, **acting: Any) -> tuple[Look, int]:
        """All batches, with a look after each; killed pilots start again at once. How often it was killed, too."""
        kills = 0
        for batch in range(self.batches_count + 1):
            if batch:
                self.serve()
            while True:
                pilot = self.pilot(step)
                try:
                    self._go(pilot, **acting)
                    break
                except Killed:
                    kills += 1
        return self.pilot().look(), kills

    def _go(self, pilot: Pilot, **acting: Any) -> None:
        with pilot.alone():
            pilot.settle()
            if state_of(pilot.journal.entries()).started_unix_s is None:
                pilot.start()
            pilot.act(pilot.look(), **acting)


def world(folder: Path, mode: str, ratio: float, **more: Any) -> World:
    found = World(folder, mode, ratio, **more)
    write_design(found.design(), found.pilot_folder)
    return found


def events(of: World) -> list[str]:
    return [each.event for each in Journal(of.pilot_folder).entries() if each.event != "in_force"]


def test_a_good_model_in_a_shadow_is_accepted_and_promoted(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    look, _ = here.run(promotes=True)
    assert look.verdict is not None
    assert look.verdict.answer == "yes"
    assert look.verdict.accepted_tasks == ("faq",)
    assert events(here)[0] == "started"
    assert "promoted" in events(here)
    policy = load(here.policy)
    assert policy.route(task="faq").model == CANDIDATE
    assert policy.route(task="mail").model == BASELINE
    (watch,) = look.watch
    assert watch.outcomes_count > 200
    assert not watch.is_alarm


def test_a_bad_model_in_a_canary_is_stopped_and_the_gateway_flips_back(tmp_path: Path) -> None:
    here = world(tmp_path, "canary", 0.6)
    look, _ = here.run()
    assert look.verdict is not None
    assert look.verdict.answer == "no"
    assert look.verdict.stopped_tasks == ("faq",)
    assert load(here.policy).hash == here.before
    assert not look.state.is_running
    assert here.pilot().act(here.pilot().look()) == ()  # nothing more follows
    *_, stopped, ended = [each for each in Journal(here.pilot_folder).entries() if each.event != "in_force"]
    assert (stopped.event, stopped.policy_hash, ended.event) == ("stopped_task", here.before, "stopped")
    told = look.verdict.sentence.removeprefix("No: ")
    assert told != look.verdict.sentence, "the answer is said once"
    assert ended.words == f"The verdict is no: {told}", "its own step is not said to be another's"


def test_a_canary_ramps_by_what_it_has_seen(tmp_path: Path) -> None:
    here = world(tmp_path, "canary", 1.0, batches_count=3)
    here.run()
    assert [each for each in events(here) if each != "verdict"] == ["started", "ramped"]
    assert load(here.policy).document.trial.part_of("faq").share_fraction == 0.5  # type: ignore[union-attr]
    look = here.pilot().look()
    shares = set(np.round(look.evidence.observations.propensity_fraction, 3).tolist())
    assert shares == {0.1, 0.9, 0.5}


@pytest.mark.parametrize(("mode", "ratio"), [("shadow", 1.0), ("canary", 0.6)])
def test_being_killed_before_every_single_write_changes_nothing(
    mode: str, ratio: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = _alone_in(tmp_path / "quiet", monkeypatch, mode, ratio)
    expected, _ = quiet.run(promotes=True)
    written = (load(quiet.policy).hash, events(quiet))

    killed = _alone_in(tmp_path / "killed", monkeypatch, mode, ratio)
    seen: set[tuple[str, int]] = set()

    def step(name: str) -> None:
        """Dies once at every step of every change."""
        here = (name, len(Journal(killed.pilot_folder).entries()))
        if here not in seen:
            seen.add(here)
            raise Killed

    look, kills = killed.run(step, promotes=True)
    assert kills == len(seen) >= 8
    assert look.verdict == expected.verdict
    assert (load(killed.policy).hash, events(killed)) == written


def _alone_in(folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str, ratio: float) -> World:
    """A world whose design names no folder of its own, so that arms are drawn under the same name in all of them."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    return world(Path(), mode, ratio, batches_count=5)


def test_a_policy_that_somebody_put_in_its_place_is_said_and_left_alone(tmp_path: Path) -> None:
    here = world(tmp_path, "canary", 1.0, batches_count=1)
    here.run()
    other = save(PolicyDocument("single", (PricedModel("mid"),), "mid"), here.policy)
    look = here.pilot().look()
    assert [each.code for each in look.evidence.problems] == ["policy_swapped"]
    assert here.pilot().act(look) == ()
    assert not here.pilot().settle()
    assert load(here.policy).hash == other.hash
    here.pilot().restore()
    restored = load(here.policy).document
    assert restored.default_model == "mid"
    assert restored.trial is not None
    assert here.pilot().look().evidence.problems == ()


def test_a_step_under_another_pilots_policy_adopts_nothing_of_it(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0, batches_count=2)
    here.run()
    before = here.pilot().look()
    save(PolicyDocument("single", (PricedModel(BASELINE),), BASELINE, created="2026-01-02"), here.policy)
    other = Pilot(tmp_path / "other", now=here.pilot()._now)
    write_design(replace(here.design(), name="other"), tmp_path / "other")
    other.start()
    theirs = load(here.policy)
    entry = here.pilot().stop("Stopped by hand.")
    assert entry.policy_hash == ""
    assert "left as it is" in entry.words
    assert load(here.policy).hash == theirs.hash
    assert not here.pilot().settle()
    here.ratio = 0.2
    here.serve()
    after = here.pilot().look()
    assert before.verdict is not None
    assert after.verdict is not None
    assert after.verdict.tasks == before.verdict.tasks
    assert other.look().evidence.observations.rows_count == 2 * here.per_batch


def test_what_is_put_back_after_the_end_counts_for_nothing(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0, batches_count=1)
    here.run()
    ours = load(here.policy).document
    here.pilot().stop("Stopped by hand.")
    count = here.pilot().look().evidence.observations.rows_count
    here.at_s += 60
    save(ours, here.policy)
    here.serve()
    assert here.pilot().look().evidence.observations.rows_count == count
    with pytest.raises(PilotError, match="ended already"):
        here.pilot().stop("Once more.")


def test_the_old_policy_put_back_by_hand_is_respected(tmp_path: Path) -> None:
    here = world(tmp_path, "canary", 1.0, batches_count=1)
    base = load(here.policy).document
    here.run()
    save(base, here.policy)
    assert not here.pilot().settle()
    assert load(here.policy).hash == here.before


def test_a_design_changed_midway_is_never_a_yes(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    here.run()
    path = here.pilot_folder / "pilot.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "margin_ratio": 0.5}))
    look = here.pilot().look()
    assert look.verdict is not None
    assert look.verdict.is_design_changed
    assert look.verdict.answer != "yes"
    assert look.design.margin_ratio == 0.95
    assert any(each.code == "design_changed" for each in look.evidence.problems)


def test_the_trial_ends_with_its_time_and_may_still_be_promoted(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0, batches_count=3)
    write_design(here.design(days_max_days=0.5), here.pilot_folder)
    here.run()
    assert load(here.policy).document.trial is not None
    here.at_s += 86_400
    here.pilot().act(here.pilot().look())
    assert events(here)[-1] == "stopped"
    assert load(here.policy).hash == here.before
    look = here.pilot().look()
    assert look.verdict is not None
    assert look.verdict.answer == "yes"
    here.pilot().promote(look, keeps_watch=True)
    here.serve()
    (watch,) = here.pilot().look().watch
    assert watch.outcomes_count == here.per_batch


def test_stopping_by_hand_serves_everybody_as_before(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0, batches_count=1)
    here.run()
    here.pilot().stop("Stopped by hand.")
    assert load(here.policy).hash == here.before
    with pytest.raises(PilotError, match="ended"):
        here.pilot().start()


def test_a_fall_after_the_promotion_rings_and_rolls_back(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    here.run(promotes=True)
    here.ratio = 0.7
    for _ in range(2):
        here.serve()
        here.pilot().act(here.pilot().look(), rolls_back=True)
    assert events(here)[-2:] == ["alarm", "rolled_back"]
    assert load(here.policy).route(task="faq").model == BASELINE
    assert here.pilot().act(here.pilot().look(), rolls_back=True, promotes=True) == ()


def test_a_start_that_was_cut_off_promised_nothing(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)

    def step(_name: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        here.pilot(step).start()
    path = here.pilot_folder / "pilot.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "margin_ratio": 0.9}))
    here.pilot().start()
    look = here.pilot().look()
    assert look.design.margin_ratio == 0.9
    assert not look.found.is_changed


def test_a_journal_that_is_gone_is_named(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0, batches_count=1)
    assert here.pilot().look().evidence.problems == ()
    here.run()
    (here.pilot_folder / "journal.jsonl").unlink()
    assert [each.code for each in here.pilot().look().evidence.problems] == ["journal_lost"]


def test_a_pilot_is_promoted_once(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    here.run(promotes=True)
    with pytest.raises(PilotError, match="promoted already"):
        here.pilot().promote(here.pilot().look(), keeps_watch=True)
    assert load(here.pilot_folder / "policy-before").route(task="faq").model == BASELINE


def test_an_alarm_undoes_nothing_that_came_since_the_promotion(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    here.run(promotes=True)
    here.ratio = 0.7
    for _ in range(2):
        here.serve()
    later = save(replace(load(here.policy).document, made_by="somebody else"), here.policy)
    (alarm,) = here.pilot().act(here.pilot().look(), rolls_back=True)
    assert alarm.event == "alarm"
    assert "Not rolled back" in alarm.words
    assert load(here.policy).hash == later.hash


def test_of_two_tasks_the_good_one_is_promoted_when_the_other_is_decided_too(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0, batches_count=3)
    plans = tuple(replace(here.design().tasks[0], task=each) for each in ("faq", "mail"))
    write_design(here.design(tasks=plans), here.pilot_folder)
    here.run(promotes=True)
    assert "promoted" not in events(here)  # nothing is known of mail yet
    rng = np.random.default_rng(3)
    here.state.policy_hash = load(here.policy).hash
    for base, candidate in pairs(rng, 600, 0.9, 0.6):
        here.at_s += 1
        here.state.shadow(f"{here.state.calls_count:032x}", here.at_s, base, candidate, task="mail")
    here.state.written()
    here.pilot().act(here.pilot().look(), promotes=True)  # mail is stopped
    here.pilot().act(here.pilot().look(), promotes=True)
    assert [each for each in events(here) if each not in ("verdict", "started")] == ["stopped_task", "promoted"]
    policy = load(here.policy)
    assert (policy.route(task="faq").model, policy.route(task="mail").model) == (CANDIDATE, BASELINE)


def test_two_do_not_run_the_same_pilot(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    with here.pilot().alone(), pytest.raises(PilotError, match="another"), here.pilot().alone():
        pass


def test_nothing_starts_without_a_place_or_into_another_trial(tmp_path: Path) -> None:
    here = world(tmp_path, "shadow", 1.0)
    write_design(here.design(policy_folder=""), here.pilot_folder)
    with pytest.raises(PilotError, match="--policy"):
        here.pilot().start()
    write_design(here.design(sources=()), here.pilot_folder)
    with pytest.raises(PilotError, match="--state"):
        here.pilot().start()
    write_design(here.design(), here.pilot_folder)
    other = Pilot(tmp_path / "other")
    write_design(replace(here.design(), name="other"), tmp_path / "other")
    other.start()
    with pytest.raises(PilotError, match="other-"):
        here.pilot().start()
