"""Of nested counting spans only the innermost count, in whatever order they arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.reading.span_families import Repeats, SpanFamilies, span_key


def enclosing(*spans: tuple[str, str, bool], trace: str = "t") -> set[int]:
    families = SpanFamilies()
    for own, parent, counts in spans:
        families.add(trace, own, parent, is_call=counts, has_tokens=counts)
    assert not families.repeats().inner
    return set(families.repeats().outer)


def keys(*names: str) -> set[int]:
    return {span_key("t", name) for name in names}


def test_a_span_around_another_with_spans_between() -> None:
    assert enclosing(("a", "", True), ("b", "a", False), ("c", "b", True)) == keys("a")
    assert enclosing(("c", "b", True), ("b", "a", False), ("a", "", True)) == keys("a")
    assert enclosing(("a", "", True), ("b", "a", False)) == set()
    assert enclosing(("a", "", True), ("b", "", True)) == set()
    assert enclosing() == set()


def test_a_missing_parent_and_a_span_that_is_its_own_are_no_families() -> None:
    assert enclosing(("c", "lost", True), ("a", "", True)) == set()
    assert enclosing(("a", "a", True)) == set()


def test_a_span_delivered_twice_does_not_enclose_itself() -> None:
    assert enclosing(("a", "", True), ("a", "", True)) == set()
    assert enclosing(("a", "", True), ("b", "a", True), ("b", "a", True)) == keys("a")


def test_the_same_id_in_another_trace_is_another_span() -> None:
    families = SpanFamilies()
    families.add("t", "a", "", is_call=True, has_tokens=True)
    families.add("u", "b", "a", is_call=True, has_tokens=True)
    assert families.repeats() == Repeats()


def test_a_call_without_tokens_inside_one_that_is_counted() -> None:
    families = SpanFamilies()
    families.add("t", "bare", "between", is_call=True, has_tokens=False)
    families.add("t", "between", "outer", is_call=False, has_tokens=True)
    families.add("t", "outer", "", is_call=True, has_tokens=True)
    families.add("t", "alone", "", is_call=True, has_tokens=False)
    assert families.repeats() == Repeats(frozenset(), frozenset(keys("bare")))
    families.add("t", "inside", "outer", is_call=True, has_tokens=True)
    assert families.repeats() == Repeats(frozenset(keys("outer")), frozenset()), "the outer one counts no more"


def test_a_ring_of_parents_ends() -> None:
    families = SpanFamilies()
    families.add("t", "a", "b", is_call=True, has_tokens=False)
    families.add("t", "b", "a", is_call=False, has_tokens=False)
    families.add("t", "c", "", is_call=True, has_tokens=True)
    assert families.repeats() == Repeats()


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30), st.randoms())
def test_against_walking_up_from_each(tree: list[tuple[int, bool]], chance: object) -> None:
    """The parent of a span is one made before it, or none."""
    spans = [(f"s{i}", "" if i == 0 or place >= i else f"s{place}", counts) for i, (place, counts) in enumerate(tree)]
    parent = {own: above for own, above, _ in spans}
    wanted = set()
    for own, _, counts in spans:
        above = parent[own]
        while counts and above:
            wanted.add(above)
            above = parent[above]
    wanted &= {own for own, _, counts in spans if counts}
    shuffled = list(spans)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert enclosing(*shuffled) == keys(*wanted)
