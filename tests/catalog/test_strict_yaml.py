"""Strict YAML: no silent last-one-wins, and a line for every place."""

from __future__ import annotations

import pytest

from breakeven.catalog.strict_yaml import line_of, read
from breakeven.errors import CatalogError


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
