"""Lent memory serves again once nobody looks at it, be it through NumPy or through Arrow, and never before."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from breakeven.usage.reading.lent_memory import LentMemory


def place(array: np.ndarray) -> int:
    address, _ = array.__array_interface__["data"]
    return int(address)


def test_memory_that_nobody_holds_serves_again() -> None:
    lent = LentMemory(1000)
    first = lent.array()
    assert first.nbytes == 1000
    where = place(first)
    other = lent.array()
    assert place(other) != where
    del first
    assert place(lent.array()) == where


def test_a_view_of_a_view_keeps_its_memory() -> None:
    lent = LentMemory(64)
    whole = lent.array()
    whole[:] = 7
    where, part = place(whole), whole[10:50][5:].view(np.int8).reshape(5, 7)[1:]
    del whole
    gc.collect()
    taken = [lent.array() for _ in range(3)]
    assert where not in map(place, taken)
    assert (part == 7).all()


def test_arrow_keeps_the_memory_that_it_looks_at() -> None:
    lent = LentMemory(16)
    data = lent.array()
    data[:] = np.frombuffer(b"abcdefghijklmnop", np.uint8)
    where, offsets = place(data), pa.py_buffer(np.array([0, 3, 16], np.int32))
    texts = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(data[:16])])
    table = pa.table({"text": texts.slice(1)})
    del data, texts
    others = [lent.array() for _ in range(3)]
    assert where not in map(place, others)
    for each in others:
        each[:] = 0
    assert table["text"].to_pylist() == ["defghijklmnop"]
    del table
    assert place(lent.array()) == where


def test_threads_never_have_the_same_memory() -> None:
    lent = LentMemory(4096)

    def is_mine(number: int) -> bool:
        array = lent.array()
        array[:] = number % 251
        return bool((array == number % 251).all())

    with ThreadPoolExecutor(4) as workers:
        assert all(workers.map(is_mine, range(2000)))
