"""The shelf keeps what was computed until what it is made of changes, drops what is damaged, and stays small."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from breakeven.errors import DashboardError, UsageError
from breakeven.web import shelf as module
from breakeven.web.jobs import Job, Jobs, Say
from breakeven.web.shelf import Recipe, Shelf


def recipe(made: list[str], *made_of: str, name: str = "comparison") -> Recipe:
    def make(say: Say) -> str:
        made.append(name)
        return f"{made_of} for the {len(made)}. time"

    return Recipe(name, "Comparing", made_of, make)


def taken(shelf: Shelf, asked: Recipe) -> str:
    found = shelf.take(asked, patience_s=30)
    assert isinstance(found, str)
    return found


def test_it_is_made_once_and_again_when_what_it_is_made_of_changes(tmp_path: Path) -> None:
    made: list[str] = []
    shelf = Shelf(tmp_path / "ui", Jobs())
    first = taken(shelf, recipe(made, "calls", "prices"))
    assert taken(shelf, recipe(made, "calls", "prices")) == first
    assert len(made) == 1
    assert taken(shelf, recipe(made, "calls", "new prices")) != first
    assert len(made) == 2


def test_it_outlives_the_server(tmp_path: Path) -> None:
    made: list[str] = []
    first = taken(Shelf(tmp_path / "ui", Jobs()), recipe(made, "calls"))
    assert taken(Shelf(tmp_path / "ui", Jobs()), recipe(made, "calls")) == first
    assert len(made) == 1


def test_only_this_user_reads_it(tmp_path: Path) -> None:
    (tmp_path / "ui").mkdir(mode=0o755)
    taken(Shelf(tmp_path / "ui", Jobs()), recipe([], "calls"))
    assert stat.S_IMODE((tmp_path / "ui").stat().st_mode) == 0o700
    assert [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "ui").iterdir()] == [0o600]


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_what_is_damaged_is_dropped_and_made_again(tmp_path: Path, damage: str) -> None:
    made: list[str] = []
    first = taken(Shelf(tmp_path / "ui", Jobs()), recipe(made, "calls"))
    (path,) = (tmp_path / "ui").iterdir()
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-3], "changed": whole[:-1] + b"!", "emptied": b""}[damage])
    again = taken(Shelf(tmp_path / "ui", Jobs()), recipe(made, "calls"))
    assert len(made) == 2
    assert again != first


def test_a_disk_that_takes_nothing_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "ui").write_text("a file where the folder should be")
    made: list[str] = []
    shelf = Shelf(tmp_path / "ui", Jobs())
    assert taken(shelf, recipe(made, "calls")) == taken(shelf, recipe(made, "calls"))
    assert len(made) == 1


def test_the_least_recently_used_goes_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ON_DISK_COUNT", 3)
    folder = tmp_path / "ui"
    for number in range(3):
        shelf = Shelf(folder, Jobs())
        taken(shelf, recipe([], str(number)))
        newest = max(folder.iterdir(), key=lambda each: each.stat().st_mtime_ns)
        os.utime(newest, (time.time() - 1_000 + number,) * 2)
    made: list[str] = []
    taken(Shelf(folder, Jobs()), recipe(made, "0"))  # a look keeps it young
    taken(Shelf(folder, Jobs()), recipe([], "3"))
    assert len(list(folder.iterdir())) == 3
    taken(Shelf(folder, Jobs()), recipe(made, "0"))
    assert made == []
    taken(Shelf(folder, Jobs()), recipe(made, "1"))
    assert made == ["comparison"]


def test_what_nobody_looks_at_for_a_month_goes_and_so_do_halves(tmp_path: Path) -> None:
    folder = tmp_path / "ui"
    taken(Shelf(folder, Jobs()), recipe([], "old"))
    (folder / "x.half").write_text("of a server that was killed")
    (folder / "undo.json").write_text("another's file")
    for each in folder.iterdir():
        os.utime(each, (time.time() - 32 * 86_400,) * 2)
    taken(Shelf(folder, Jobs()), recipe([], "new"))
    assert sorted(each.suffix for each in folder.iterdir()) == [".json", ".kept"]


def test_too_many_bytes_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ON_DISK_MAX_BYTES", 250)
    shelf = Shelf(tmp_path / "ui", Jobs())
    for number in range(5):
        taken(shelf, recipe([], str(number)))
    assert sum(each.stat().st_size for each in (tmp_path / "ui").iterdir()) <= 250


def test_what_takes_long_is_a_job_and_what_failed_stays_failed_until_somebody_retries(tmp_path: Path) -> None:
    go, tries = threading.Event(), [0]

    def make(say: Say) -> str:
        go.wait(10)
        tries[0] += 1
        if tries[0] == 1:
            raise UsageError("no calls")
        return "made"

    asked = Recipe("comparison", "Comparing", ("calls",), make)
    jobs = Jobs()
    shelf = Shelf(tmp_path / "ui", jobs)
    job = shelf.take(asked, patience_s=0)
    assert isinstance(job, Job)
    assert shelf.take(asked, patience_s=0) is job
    go.set()
    assert job.wait(10)
    assert shelf.take(asked) is job
    assert (job.state, job.error) == ("failed", "no calls")
    again = jobs.again(job)
    assert again is not job
    assert again.wait(10)
    assert shelf.take(asked) == "made"


def test_a_chart_is_drawn_once(tmp_path: Path) -> None:
    drawn: list[int] = []

    def draw() -> str:
        drawn.append(1)
        return "<svg/>"

    for _ in range(2):
        assert Shelf(tmp_path / "ui", Jobs()).keep("curve", ("document", "wide"), draw) == "<svg/>"
    assert len(drawn) == 1


def test_a_few_are_made_at_once_and_the_others_wait_for_their_turn(tmp_path: Path) -> None:
    go, lock, now, most = threading.Event(), threading.Lock(), [0], [0]

    def make(say: Say) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        go.wait(10)
        with lock:
            now[0] -= 1
        return "made"

    shelf = Shelf(tmp_path / "ui", Jobs())
    jobs = [shelf.take(Recipe("many", "Many", (str(number),), make), 0) for number in range(8)]
    waiting = [each for each in jobs if isinstance(each, Job)]
    assert len(waiting) == 8
    ends_s = time.monotonic() + 10
    while not any(each.words for each in waiting) and time.monotonic() < ends_s:
        time.sleep(0.01)
    said = next(each for each in waiting if each.words == "waiting for other work to end")
    said.cancel()
    assert said.wait(10)
    go.set()
    assert all(each.wait(10) for each in waiting)
    assert most[0] == module.AT_ONCE_COUNT
    assert [each.state for each in waiting].count("done") == 7


def test_nobody_can_pile_up_work_without_end(tmp_path: Path) -> None:
    go = threading.Event()
    shelf = Shelf(tmp_path / "ui", Jobs())
    with pytest.raises(DashboardError, match="cancel some of them"):
        for number in range(1_000):
            shelf.take(Recipe("many", "Many", (str(number),), lambda _: str(go.wait(10))), 0)
    go.set()


def test_what_gave_way_begins_again_and_what_a_person_cancelled_does_not(tmp_path: Path) -> None:
    go = threading.Event()

    def make(say: Say) -> str:
        while not go.wait(0.01):
            say("at it")
        return "made"

    shelf = Shelf(tmp_path / "ui", Jobs())
    asked = Recipe("comparison", "Comparing", ("calls",), make)
    for by_person in (False, True):
        job = shelf.take(asked, 0)
        assert isinstance(job, Job)
        job.cancel(by_person=by_person)
        assert job.wait(10)
        assert job.state == "cancelled"
        assert (shelf.take(asked, 0) is job) is by_person
    go.set()
