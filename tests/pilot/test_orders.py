"""Orders: what an outlook promises is what the order writes, and an order on an old footing does nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.pilot.gateway_state import CANDIDATE
from tests.pilot.test_running import World

from breakeven.errors import PilotError
from breakeven.pilot.design_file import write_design
from breakeven.pilot.orders import give, outlook
from breakeven.routing.policy_file import load, save


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway, and a pilot that has been designed."""
    made = World(tmp_path, "shadow", 1.0)
    write_design(made.design(), made.pilot_folder)
    return made


def test_an_outlook_names_the_very_version_that_the_order_writes(world: World) -> None:
    pilot = world.pilot()
    seen = outlook(pilot, "start")
    assert (seen.hash_now, seen.before) == (world.before, None)
    assert seen.after is not None and seen.after.parts[0].candidate_model == CANDIDATE
    assert not (world.pilot_folder / "promised.json").exists(), "a look at it promises nothing"
    assert give(pilot, "start", expects=seen.token).policy_hash == seen.hash_next == load(world.policy).hash

    seen = outlook(pilot, "stop")
    assert seen.after is None and seen.hash_next == world.before, "everybody is served as before"
    assert give(pilot, "stop", expects=seen.token).policy_hash == seen.hash_next


def test_a_promotion_and_its_way_back(world: World) -> None:
    pilot = world.pilot()
    give(pilot, "start")
    for _ in range(4):
        world.serve()
    seen = outlook(pilot, "promote", keeps_watch=True)
    assert seen.tasks == ("faq",) and seen.after is not None and seen.after.parts[0].share_fraction == 1.0
    done = give(pilot, "promote", keeps_watch=True, expects=seen.token)
    assert done.policy_hash == seen.hash_next
    seen = outlook(pilot, "roll_back")
    assert (give(pilot, "roll_back", expects=seen.token).policy_hash, load(world.policy).hash) == (
        seen.hash_next,
        world.before,
    )
    with pytest.raises(PilotError, match="nothing to roll back"):
        give(pilot, "roll_back")


def test_a_promotion_that_somebody_replaced_is_not_rolled_back(world: World) -> None:
    pilot = world.pilot()
    give(pilot, "start")
    for _ in range(4):
        world.serve()
    give(pilot, "promote")
    save(replace(load(world.policy).document, created="2026-12-01"), world.policy)
    theirs = load(world.policy).hash
    with pytest.raises(PilotError, match="Not rolled back"):
        give(pilot, "roll_back")
    assert load(world.policy).hash == theirs


def test_restoring_puts_the_trial_into_the_policy_that_is_there(world: World) -> None:
    pilot = world.pilot()
    give(pilot, "start")
    save(replace(load(world.policy).document, trial=None, created="2026-12-01"), world.policy)
    seen = outlook(pilot, "restore")
    assert seen.before is None and seen.after is not None
    assert give(pilot, "restore", expects=seen.token).policy_hash == seen.hash_next == load(world.policy).hash


def test_an_order_on_an_old_footing_does_nothing(world: World) -> None:
    pilot = world.pilot()
    token = outlook(pilot, "start").token
    save(replace(load(world.policy).document, created="2026-12-01"), world.policy)
    theirs = load(world.policy).hash
    with pytest.raises(PilotError, match="changed since you looked"):
        give(pilot, "start", expects=token)
    assert load(world.policy).hash == theirs and not pilot.journal.entries()


def test_an_outlook_is_refused_in_the_words_of_the_order(world: World) -> None:
    pilot = world.pilot()
    for order in ("stop", "restore", "promote", "roll_back"):
        with pytest.raises(PilotError) as seen:
            outlook(pilot, order)
        with pytest.raises(PilotError) as done:
            give(pilot, order)
        assert order in ("stop", "promote") or str(seen.value) == str(done.value)
    give(pilot, "start")
    for attempt in (outlook, give):
        with pytest.raises(PilotError, match="runs already"):
            attempt(pilot, "start")


def test_nothing_is_promoted_into_the_policy_of_another_pilots_trial(world: World) -> None:
    pilot = world.pilot()
    give(pilot, "start")
    for _ in range(4):
        world.serve()
    document = load(world.policy).document
    assert document.trial is not None
    save(replace(document, trial=replace(document.trial, pilot="other-0123456789ab")), world.policy)
    for attempt in (outlook, give):
        with pytest.raises(PilotError, match="trial of another pilot"):
            attempt(pilot, "promote")


def test_who_watches_is_seen_and_keeps_others_out(world: World) -> None:
    pilot, other = world.pilot(), world.pilot()
    assert not pilot.is_watched()
    with other.alone():
        assert pilot.is_watched()
        with pytest.raises(PilotError, match="another `breakeven pilot run`"):
            give(pilot, "start")
    assert not pilot.is_watched()
