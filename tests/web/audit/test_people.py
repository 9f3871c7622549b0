"""Two people who label at once are not shown one call, and a call that nobody finishes comes free again."""

from __future__ import annotations

from breakeven.web.audit.people import HELD_S, People

IDS = ["a", "b", "c"]


class Clock:
    """A clock that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_everybody_is_shown_another_call() -> None:
    people = People(Clock())
    assert [people.next_call(who, IDS, ()) for who in ("x", "y", "z")] == IDS
    assert people.next_call("x", IDS, ()) == "a"
    assert people.others_count("x") == 2
    assert people.next_call("w", IDS, ()) == "a"  # more people than calls: better twice than none


def test_who_leaves_frees_the_call() -> None:
    clock = Clock()
    people = People(clock)
    assert people.next_call("x", IDS, ()) == "a"
    clock.now_s = HELD_S + 1
    assert people.next_call("y", IDS, ()) == "a"
    assert people.others_count("y") == 0


def test_skipped_calls_come_last_oldest_first_and_judged_ones_never() -> None:
    people = People(Clock())
    assert people.next_call("x", IDS, (), ("b", "a", "gone")) == "c"
    assert people.next_call("x", IDS, ("c",), ("b", "a", "gone")) == "b"
    assert people.next_call("x", IDS, ("b", "c"), ("b", "a")) == "a"
    assert people.next_call("x", IDS, ("a", "b", "c"), ("b", "a")) is None


def test_what_was_taken_back_is_shown_to_who_took_it_back() -> None:
    people = People(Clock())
    people.show_next("x", "a")
    assert people.next_call("y", IDS, ()) == "b"
    assert people.next_call("x", IDS, ()) == "a"


def test_calls_of_people_who_left_are_not_kept() -> None:
    clock = Clock()
    people = People(clock)
    for number in range(500):
        clock.now_s += HELD_S
        people.next_call(f"p{number}", [f"call {number}"], ())
    assert people.others_count("p499") == 0
    assert len(people._held) == 1
