"""Scenario edit: one key changes, and nothing else of the file: neither its meaning nor its comments."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.scenario import load_scenario, scenario_template
from breakeven.decision.scenario_edit import number_text, quoted, with_value
from breakeven.errors import ScenarioError

FILE = Path("scenario.yaml")
PUE = ("overrides", "pue_ratio")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "overrides:\n  pue_ratio: 1.3\n"),
        ("# ours", "# ours\noverrides:\n  pue_ratio: 1.3\n"),
        ("gpu: L4", "gpu: L4\noverrides:\n  pue_ratio: 1.3\n"),
        ("gpu: L4\r\n", "gpu: L4\r\noverrides:\r\n  pue_ratio: 1.3\r\n"),
        ("overrides:\n", "overrides:\n  pue_ratio: 1.3\n"),
        (
            "overrides: {}  # none\n# more\ngpu: L4\n",
            "overrides:  # none\n  pue_ratio: 1.3\n# more\ngpu: L4\n",
        ),
        ("overrides: null\r\ngpu: L4\r\n", "overrides:\r\n  pue_ratio: 1.3\r\ngpu: L4\r\n"),
        ("overrides: {a: 1}\n", "overrides: {a: 1, pue_ratio: 1.3}\n"),
        ("overrides: {pue_ratio: 1.1, a: 1} # c\n", "overrides: {pue_ratio: 1.3, a: 1} # c\n"),
        (
            "overrides:\n    a: 1  # x\n\n# tail\ngpu: L4\n",
            "overrides:\n    a: 1  # x\n    pue_ratio: 1.3\n\n# tail\ngpu: L4\n",
        ),
        (
            "overrides:\n  pue_ratio: 1.1  # measured in May\n  a: 2\n",
            "overrides:\n  pue_ratio: 1.3  # measured in May\n  a: 2\n",
        ),
        ("{gpu: L4, overrides: {}}", "{gpu: L4, overrides: {pue_ratio: 1.3}}"),
        ("x: &a 1.1\noverrides: {pue_ratio: *a}\n", "x: &a 1.1\noverrides: {pue_ratio: 1.3}\n"),
        ("base: &b {a: 1}\noverrides:\n  <<: *b\n", "base: &b {a: 1}\noverrides:\n  <<: *b\n  pue_ratio: 1.3\n"),
        ("overrides:\n  pue_ratio: |\n    1.1\n  b: 2\n", "overrides:\n  pue_ratio: 1.3\n  b: 2\n"),
        ("\ufeffgpu: L4\n", "\ufeffgpu: L4\noverrides:\n  pue_ratio: 1.3\n"),
        (
            "overrides:\n  pue_ratio:\n    low: 1\n    high: 2 # z\n\n  b: 2\n",
            "overrides:\n  pue_ratio: 1.3 # z\n\n  b: 2\n",
        ),
    ],
)
def test_the_rest_of_the_file_stays_as_it_was_written(before: str, after: str) -> None:
    assert with_value(before, PUE, "1.3", FILE) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("overrides:\n  pue_ratio: 1.1  # x\n  a: 1\n", "overrides:\n  a: 1\n"),
        ("overrides:\n  # why\n  pue_ratio: 1.1\ngpu: L4\n", "overrides:\n  # why\ngpu: L4\n"),
        ("overrides: {pue_ratio: 1.1, a: 1}\n", "overrides: {a: 1}\n"),
        ("overrides: {a: 1, pue_ratio: 1.1}\n", "overrides: {a: 1}\n"),
        ("overrides: {pue_ratio: {low: 1, typical: 1, high: 2}}\n", "overrides: {}\n"),
        ("overrides:\r\n  a: 1\r\n  pue_ratio: 1.1", "overrides:\r\n  a: 1\r\n"),
    ],
)
def test_a_key_goes_and_nothing_else(before: str, after: str) -> None:
    assert with_value(before, PUE, None, FILE) == after


@pytest.mark.parametrize(
    "text",
    [
        "---\ngpu: L4\n...\n",  # what is appended would be a document of its own
        "x: &a 1.1\noverrides: {pue_ratio: &b 1.2, other: *b}\n",  # somebody else points at it
        "overrides: &o {a: 1}\nmore: *o\n",  # a key inside would stand in both
        "base: &b {pue_ratio: 1.1}\noverrides: *b\n",
    ],
)
def test_what_cannot_be_changed_alone_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ScenarioError, match="by hand"):
        with_value(text, PUE, "1.3", FILE)


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [\n", "- 1\n", "a: 1\n---\nb: 2\n", "overrides:\n\tb: 1\n"])
def test_a_broken_file_is_refused_in_the_words_of_its_loader(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"scenario\.yaml"):
        with_value(text, PUE, "1.3", FILE)


def test_every_key_of_the_template_can_be_set_and_the_template_is_still_there() -> None:
    template = scenario_template()
    changed = with_value(template, PUE, "1.3", FILE)
    changed = with_value(changed, ("gpu",), quoted("L4"), FILE)
    gone = set(template.splitlines()) - set(changed.splitlines())
    assert gone == {"overrides: {}", "gpu: H100-SXM-80"}
    assert load_scenario(FILE, text=changed).overrides == {"pue_ratio": 1.3}


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
names = st.sampled_from(["pue_ratio", "engineer_usd_per_year", "downtime_usd_per_hour", "gpu"])
comments = st.text(st.characters(categories=("L", "N", "P", "Zs", "S")), max_size=20)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A scenario-like file with comments everywhere, and the comments."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    said, lines = [], []
    keys = draw(st.lists(names, unique=True, max_size=4))
    for number, name in enumerate(keys):
        told = f"# {number} {draw(comments)}"
        said.append(told.rstrip())
        lines += [
            f"  {told}",
            f"  {name}: {draw(st.integers(0, 9))}{draw(st.sampled_from(['', '  # end ' + str(number)]))}",
        ]
    head = ["# first", "seed: 3", "overrides:" if keys else "overrides: {}", *lines, "# last"]
    text = newline.join(head) + draw(st.sampled_from(["", newline]))
    return text, said


@given(files(), names, numbers)
def test_any_file_any_number(made: tuple[str, list[str]], name: str, value: float) -> None:
    text, said = made
    before = yaml.safe_load(text)
    changed = with_value(text, ("overrides", name), number_text(repr(value)), FILE)
    after = yaml.safe_load(changed)
    assert float(after["overrides"].pop(name)) == value
    (before["overrides"] or {}).pop(name, None)
    assert after == before
    assert all(each in changed for each in said)
    assert [each for each in changed.splitlines() if each == "# last"] == ["# last"]
    restored = with_value(changed, ("overrides", name), None, FILE)
    assert (yaml.safe_load(restored)["overrides"] or {}) == before["overrides"]


@given(st.text(max_size=60))
def test_any_text_is_one_text_on_one_line(said: str) -> None:
    told = quoted(said)
    assert "\n" not in told
    assert yaml.safe_load(f"{{a: {told}, b: 1}}") == {"a": said, "b": 1}


@given(st.text(max_size=30))
def test_a_number_or_a_quoted_text_and_nothing_in_between(said: str) -> None:
    told = yaml.safe_load(f"{{a: {number_text(said)}}}")["a"]
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        assert not isinstance(told, bool)
        assert float(told) == value
    else:
        assert told == said.strip()
