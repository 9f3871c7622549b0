"""Strict YAML: no silent last-one-wins, and a line for every place."""

from __future__ import annotations

import pytest
import yaml

from breakeven.catalog.files import DATA
from breakeven.errors import CatalogError
from breakeven.strict_yaml import line_of, read


def test_a_duplicate_key_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogError, match=r"x\.yaml:3.*'a' is there twice"):
        read("a: 1\nb: 2\na: 3\n", "x.yaml")


def test_broken_yaml_names_the_line() -> None:
    with pytest.raises(CatalogError, match=r"x\.yaml:3: not readable as YAML"):
        read("a: 1\nb: [1, 2\n", "x.yaml")


def test_nothing_but_data_is_constructed() -> None:
    with pytest.raises(CatalogError):
        read("a: !!python/object/apply:os.getcwd []", "x.yaml")


def test_line_of_goes_as_deep_as_the_path_exists() -> None:
    paths: list[list[str | int]] = [["a", 1, "x"], ["a", 1, "z"], ["nowhere"], []]
    text = "a:\n  - x: 1\n    y: 2\n  - x: 3\n"
    assert [line_of(text, path) for path in paths] == [4, 4, 1, 1]


def test_the_same_as_the_safe_loader_on_every_file_of_the_catalogue() -> None:
    for path in sorted(DATA.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert read(text, path.name) == yaml.safe_load(text), path.name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "- 1\n- 1.5\n- 1e3\n- 1.0e+6\n- ~\n- yes\n- 2026-01-31\n- '2026-01-31'\n",
        "{1: a, 2026-01-01: b, false: c}",
    ],
)
def test_the_same_as_the_safe_loader_on_all_kinds_of_scalars(text: str) -> None:
    assert read(text, "x.yaml") == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [1]\nb: *a\n", None),
        ("a: &a [*a]\n", "an anchor contains itself"),
        ("a: &a {b: 1}\nc: {<<: *a}\n", "is not data"),
        ("a: !thing {b: 1}\n", "x.yaml:1.*'!thing' is not data"),
        ("? [1, 2]\n: b\n", "is not data"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2.*not readable as YAML"),
        ("a: 2026-13-45\n", "x.yaml:1.*'2026-13-45' is not possible: month must be in 1..12"),
    ],
)
def test_only_plain_data_is_read(text: str, message: str | None) -> None:
    if message is None:
        assert read(text, "x.yaml") == yaml.safe_load(text)
    else:
        with pytest.raises(CatalogError, match=message):
            read(text, "x.yaml")
