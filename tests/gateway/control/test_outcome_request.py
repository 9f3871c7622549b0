"""Outcome requests: what is one, and a reason in words for what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.control.outcome_request import SOURCES, GivenOutcome, InvalidOutcome, read_outcome
from breakeven.outcomes import outcome as offline


def read(**document: object) -> GivenOutcome | InvalidOutcome:
    return read_outcome(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("said", "success"),
    [
        ({"success": True}, 1.0),
        ({"success": False}, 0.0),
        ({"success": 0.25}, 0.25),
        ({"score": 1}, 1.0),
        ({"score": 0}, 0.0),
    ],
)
def test_success_and_score(said: dict[str, object], success: float) -> None:
    found = read(request_id="r", **said)
    assert isinstance(found, GivenOutcome)
    assert (found.success_fraction, found.source, found.replaces) == (success, "feedback", False)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"success": True}, "request_id"),
        ({"request_id": "", "success": True}, "request_id"),
        ({"request_id": " r", "success": True}, "request_id"),
        ({"request_id": "r\r\nx-header: 1", "success": True}, "request_id"),
        ({"request_id": "r" * 201, "success": True}, "request_id"),
        ({"request_id": 7, "success": True}, "request_id"),
        ({"request_id": "r"}, "success"),
        ({"request_id": "r", "success": True, "score": 1}, "success"),
        ({"request_id": "r", "success": 1.01}, "success"),
        ({"request_id": "r", "success": "yes"}, "success"),
        ({"request_id": "r", "score": True}, "score"),
        ({"request_id": "r", "success": True, "source": "me"}, "source"),
        ({"request_id": "r", "success": True, "source": ["gold"]}, "source"),
        ({"request_id": "r", "success": True, "replace": 1}, "replace"),
        ({"request_id": "r", "success": True, "note": "x" * 2_001}, "note"),
        ({"request_id": "r", "success": True, "model": {}}, "model"),
        ({"request_id": "r", "success": True, "upstream": "http://elsewhere"}, "upstream"),
    ],
)
def test_what_is_no_outcome_is_named(document: dict[str, object], field: str) -> None:
    found = read(**document)
    assert isinstance(found, InvalidOutcome) and found.field == field and found.message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"NaN", b'{"request_id": "r", "success": NaN}', b"\xff", b"[" * 5_000]
)
def test_no_json_is_no_outcome(body: bytes) -> None:
    assert isinstance(read_outcome(body), InvalidOutcome)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["request_id", "success", "score", "label", "note", "source", "model", "replace"])


@given(st.dictionaries(FIELDS, JSON, max_size=6) | JSON)
def test_nothing_raises_and_every_outcome_is_in_range(document: object) -> None:
    found = read_outcome(json.dumps(document).encode())
    assert isinstance(found, InvalidOutcome) or 0 <= found.success_fraction <= 1


def test_notes_keep_to_one_line() -> None:
    found = read(request_id="r", success=True, note="two\nlines\u2028three")
    assert isinstance(found, GivenOutcome) and found.note == "two lines three"


def test_sources_are_those_of_the_other_half() -> None:
    assert set(SOURCES) == set(offline.SOURCES) - {""}
