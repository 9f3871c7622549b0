"""A hash made while somebody else reads is that of the bytes, and few blocks wait for it."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

from breakeven.usage.reading.passing_hash import PassingHash


def test_the_hash_of_blocks_in_order() -> None:
    blocks = [bytes([number]) * (1000 * number) for number in range(40)]
    with ThreadPoolExecutor(1) as worker:
        passing = PassingHash(worker)
        for block in blocks:
            passing.add(block)
        assert passing.hexdigest() == hashlib.sha256(b"".join(blocks)).hexdigest()


def test_nothing_has_a_hash() -> None:
    with ThreadPoolExecutor(1) as worker:
        assert PassingHash(worker).hexdigest() == hashlib.sha256().hexdigest()


def test_a_slow_worker_holds_the_reader_up() -> None:
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as worker, ThreadPoolExecutor(1) as reader:
        worker.submit(go_on.wait)
        passing = PassingHash(worker)
        for _ in range(4):
            passing.add(b"block")
        fifth = reader.submit(passing.add, b"block")
        assert not fifth.done()
        go_on.set()
        fifth.result()
        assert passing.hexdigest() == hashlib.sha256(b"block" * 5).hexdigest()
