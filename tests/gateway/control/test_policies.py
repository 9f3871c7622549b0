"""Policies in force: a good new version is taken, a bad one never, one step back holds until another version comes."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.routing.policies_at_hand import document, task_map

from breakeven.errors import PolicyError
from breakeven.gateway.control.policy_fit import fits_models
from breakeven.gateway.control.policy_shelf import KEPT_COUNT, Pin, PolicyShelf, choose
from breakeven.gateway.control.policy_watch import PolicyWatch
from breakeven.gateway.telemetry.counters import Counters
from breakeven.routing.policy_document import PricedModel
from breakeven.routing.policy_file import LoadedPolicy, load, save


class Log:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, event: str, level: str = "info", **fields: object) -> None:
        self.said.append(event)


def version(number: int, folder: Path) -> LoadedPolicy:
    return save(replace(task_map(), made_by=f"version {number}"), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "policy"


def watching(folder: Path, state: Path) -> tuple[PolicyWatch, list[str], Counters, Log]:
    given: list[str] = []
    counters, log = Counters(), Log()
    watch = PolicyWatch(folder, state, lambda policy: given.append(policy.hash), counters, log)
    return watch, given, counters, log


def looked_twice(watch: PolicyWatch) -> None:
    watch.look()
    watch.look()


def test_a_new_version_is_taken_when_it_has_settled(folder: Path, tmp_path: Path) -> None:
    first = version(1, folder)
    watch, given, _, _ = watching(folder, tmp_path / "state")
    found = watch.first()
    assert found is not None and found.hash == first.hash
    second = version(2, folder)
    watch.look()
    assert given == [], "it may still be being written"
    watch.look()
    assert given == [second.hash]
    looked_twice(watch)
    assert given == [second.hash]


def test_a_broken_version_keeps_the_old_one_and_says_so(folder: Path, tmp_path: Path) -> None:
    version(1, folder)
    watch, given, counters, log = watching(folder, tmp_path / "state")
    watch.first()
    (folder / "policy.json").write_text("{")
    looked_twice(watch)
    assert given == [] and log.said == ["policy", "policy_refused"]
    assert b'["policy_errors_total","",1' in counters.snapshot()
    third = version(3, folder)
    looked_twice(watch)
    assert given == [third.hash]


def test_a_process_that_starts_over_a_broken_version_serves_the_last_good_one(folder: Path, tmp_path: Path) -> None:
    good = version(1, folder)
    PolicyShelf(tmp_path / "state").copy(good, folder)
    (folder / "policy.json").write_text("{")
    watch, _, _, log = watching(folder, tmp_path / "state")
    found = watch.first()
    assert found is not None and found.hash == good.hash
    assert "policy_refused" in log.said


def test_without_any_good_version_there_is_none(folder: Path, tmp_path: Path) -> None:
    watch, given, _, log = watching(folder, tmp_path / "state")
    assert watch.first() is None and log.said == ["policy_refused"]
    made = version(1, folder)
    looked_twice(watch)
    assert given == [made.hash]


def test_a_step_back_holds_until_another_version_comes(folder: Path, tmp_path: Path) -> None:
    shelf = PolicyShelf(tmp_path / "state")
    one = version(1, folder)
    shelf.copy(one, folder)
    two = version(2, folder)
    shelf.copy(two, folder)
    watch, given, _, _ = watching(folder, tmp_path / "state")
    watch.first()
    shelf.set_pin(Pin(one.hash, instead_of=two.hash))
    looked_twice(watch)
    assert given == [one.hash]
    three = version(3, folder)
    looked_twice(watch)
    assert given == [one.hash, three.hash]
    shelf.set_pin(None)
    looked_twice(watch)
    assert given == [one.hash, three.hash]


def test_a_step_back_can_be_taken_back(folder: Path, tmp_path: Path) -> None:
    shelf = PolicyShelf(tmp_path / "state")
    one = version(1, folder)
    shelf.copy(one, folder)
    two = version(2, folder)
    shelf.copy(two, folder)
    shelf.set_pin(Pin(one.hash, two.hash))
    assert choose(folder, shelf).is_pinned
    shelf.set_pin(None)
    assert choose(folder, shelf).policy.hash == two.hash


def test_the_shelf_keeps_the_last_versions_and_the_pinned_one(folder: Path, tmp_path: Path) -> None:
    shelf = PolicyShelf(tmp_path / "state")
    hashes = []
    for number in range(KEPT_COUNT + 4):
        made = version(number, folder)
        assert shelf.copy(made, folder) and not shelf.copy(made, folder)
        hashes.append(made.hash)
        if number == 1:
            shelf.set_pin(Pin(hashes[0], hashes[1]))
    assert shelf.hashes() == (hashes[0], hashes[1], *hashes[-KEPT_COUNT:])
    on_disk = {each.name for each in shelf.folder.iterdir() if each.is_dir()}
    assert on_disk == set(shelf.hashes())


def test_an_older_version_that_comes_back_is_the_newest(folder: Path, tmp_path: Path) -> None:
    shelf = PolicyShelf(tmp_path / "state")
    one = version(1, folder)
    shelf.copy(one, folder)
    two = version(2, folder)
    shelf.copy(two, folder)
    again = version(1, folder)
    assert not shelf.copy(again, folder)
    assert shelf.hashes() == (two.hash, one.hash)


def test_arrays_are_kept_and_a_tampered_copy_is_refused(folder: Path, tmp_path: Path) -> None:
    shelf = PolicyShelf(tmp_path / "state")
    scored = save(document("threshold"), folder)
    shelf.copy(scored, folder)
    assert shelf.read(scored.hash).hash == scored.hash
    other = version(9, tmp_path / "other")
    shutil.copyfile(tmp_path / "other" / "policy.json", shelf.folder / scored.hash / "policy.json")
    (shelf.folder / scored.hash / "arrays.npz").unlink()
    with pytest.raises(PolicyError, match=other.hash[:12]):
        shelf.read(scored.hash)


@pytest.mark.parametrize("pin", ['{"hash": "../../etc", "instead_of": "x"}', "[]", "{", '{"hash": 7}'])
def test_a_strange_pin_is_none(folder: Path, tmp_path: Path, pin: str) -> None:
    made = version(1, folder)
    shelf = PolicyShelf(tmp_path / "state")
    shelf.folder.mkdir(parents=True)
    shelf.pin_path.write_text(pin)
    assert shelf.pin() is None
    assert choose(folder, shelf).policy.hash == made.hash


def test_the_thread_looks_by_itself(folder: Path, tmp_path: Path) -> None:
    version(1, folder)
    given: list[str] = []
    watch = PolicyWatch(
        folder, tmp_path / "state", lambda policy: given.append(policy.hash), Counters(), Log(), period_s=0.01
    )
    watch.first()
    watch.start()
    made = version(2, folder)
    until = time.monotonic() + 10
    while not given and time.monotonic() < until:
        time.sleep(0.01)
    watch.close()
    assert given == [made.hash]
    assert load(folder).hash == made.hash


def test_a_version_that_names_a_model_which_is_not_served_keeps_the_old_one(folder: Path, tmp_path: Path) -> None:
    served = {"small", "big"}
    good = version(1, folder)
    shelf = PolicyShelf(tmp_path / "state")
    shelf.copy(good, folder)
    given: list[str] = []
    counters, log = Counters(), Log()
    watch = PolicyWatch(
        folder,
        tmp_path / "state",
        lambda policy: given.append(policy.hash),
        counters,
        log,
        fit=fits_models(lambda: served),
    )
    watch.first()
    models = (*task_map().models, PricedModel("ghost"))
    ghost = save(replace(task_map(), models=models, default_model="ghost"), folder)
    looked_twice(watch)
    assert given == [] and log.said[-1] == "policy_refused"
    chosen = choose(folder, shelf, fits_models(lambda: served))
    assert chosen.policy.hash == good.hash and "may choose 'ghost'" in chosen.trouble
    served.add("ghost")
    (folder / "policy.json").touch()
    looked_twice(watch)
    assert given == [ghost.hash]


def test_what_a_policy_is_served_otherwise_is_said_when_it_comes_into_force(folder: Path, tmp_path: Path) -> None:
    save(document("cascade"), folder)
    watch, _, _, log = watching(folder, tmp_path / "state")
    watch.first()
    assert log.said == ["policy", "policy_caution"]
