"""Whether ids repeat is told while they pass; what is not known counts as a maybe."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.store import id_hashes
from breakeven.usage.store.id_hashes import IdHashes
from breakeven.usage.store.line_code import line_code


@pytest.fixture(autouse=True)
def _code_is_there() -> None:
    line_code()


def told(*chunks: list[str | None]) -> bool:
    hashes = IdHashes()
    for chunk in chunks:
        hashes.add(pa.chunked_array([pa.array(chunk, pa.string())]))
    return hashes.may_repeat()


def test_ids_that_differ_and_one_that_comes_twice() -> None:
    many = [[f"call-{number}" for number in range(first, first + 500)] for first in range(0, 5000, 500)]
    assert not told(*many)
    assert told(*many, ["call-77"])
    assert not told(["a"], [])
    assert not told()


IDS = st.lists(st.text("ab\0é", max_size=20))


@settings(max_examples=300, deadline=None)
@given(IDS, IDS)
def test_ids_repeat_when_a_set_of_them_is_smaller(first: list[str], second: list[str]) -> None:
    both = first + second
    if all(both):
        assert told(first, second) == (len(set(both)) < len(both))
    else:
        assert told(first, second) >= (len(set(both)) < len(both))


def test_a_part_of_a_column_is_looked_at_where_it_lies() -> None:
    ids = pa.array(["a" * 9, "b" * 9, "a" * 9, "c" * 11])
    hashes = IdHashes()
    hashes.add(pa.chunked_array([ids.slice(1, 2), ids.slice(3)]))
    assert not hashes.may_repeat()
    hashes.add(pa.chunked_array([ids.slice(0, 2), ids.slice(2, 1)]))
    assert hashes.may_repeat()


def test_the_end_of_the_memory_is_not_looked_beyond() -> None:
    code, data = line_code(), np.frombuffer(b"0123456789abcdef0123456789abc", np.uint8)
    whole, cut = np.empty(2, np.uint64), np.empty(2, np.uint64)
    offsets = np.array([0, 13, 26], np.int32)
    code.hash_texts(data, offsets, whole)
    code.hash_texts(data[:26].copy(), offsets, cut)
    assert whole.tolist() == cut.tolist()
    assert whole[0] != whole[1]


def test_what_is_not_known_counts_as_a_maybe(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = IdHashes()
    hashes.add(pa.chunked_array([pa.array(["a", None])]))
    assert hashes.may_repeat()
    hashes.add(pa.chunked_array([pa.array(["a", "b"]).dictionary_encode()]))
    assert hashes.may_repeat()
    hashes.add(pa.chunked_array([pa.array(["a", "b"])]))
    assert not hashes.may_repeat(), "each step begins anew"
    monkeypatch.setattr(id_hashes, "SORTED_ROWS_MAX", 3)
    assert told(["a", "b"], ["c", "d"])
    assert not told(["a", "b"], ["c"])
    monkeypatch.setattr(id_hashes, "loaded_code", lambda: None)
    assert told(["a"])
