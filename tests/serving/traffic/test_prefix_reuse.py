"""Prefix reuse: against a plain list, and on the Mooncake trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ServingError
from breakeven.serving.traffic.prefix_reuse import reused_tokens
from breakeven.workload.arrivals import Prefixes

MOONCAKE = Path(__file__).parents[4] / "shared" / "data" / "traces" / "mooncake_conversation.jsonl"


def prefixes(prompts: list[list[int]]) -> Prefixes:
    flat = np.array([block for prompt in prompts for block in prompt], np.int64)
    return Prefixes(flat, np.cumsum([len(prompt) for prompt in prompts]).astype(np.int64))


def plain(prompts: list[list[int]], room: int, replicas: list[int]) -> list[int]:
    caches: dict[int, list[int]] = {}
    found = []
    for prompt, replica in zip(prompts, replicas, strict=True):
        cache = caches.setdefault(replica, [])  # the block used last comes last
        hits = 0
        while hits < len(prompt) and prompt[hits] in cache:
            hits += 1
        found.append(hits)
        for block in reversed(prompt):
            if block in cache:
                cache.remove(block)
            cache.append(block)
            if len(cache) > room:
                cache.pop(0)
    return found


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 8), max_size=6, unique=True), st.integers(0, 2)), min_size=1),
    st.integers(0, 12),
)
@settings(deadline=None)
def test_agrees_with_a_plain_list(rows: list[tuple[list[int], int]], room: int) -> None:
    prompts, replicas = [row[0] for row in rows], [row[1] for row in rows]
    found = reused_tokens(prefixes(prompts), room * 16, replica=replicas, block_tokens=16)
    assert (found // 16).tolist() == plain(prompts, room, replicas)


def test_a_larger_cache_finds_more_and_more_replicas_find_less() -> None:
    if not MOONCAKE.exists():
        pytest.skip("the Mooncake trace is not here")
    rows = [json.loads(line) for line in MOONCAKE.read_text(encoding="utf-8").splitlines()[:4000]]
    named = prefixes([row["hash_ids"] for row in rows])
    tokens = np.array([row["input_length"] for row in rows])
    shares = [
        float(np.minimum(reused_tokens(named, kept, replica=np.arange(4000) % replicas), tokens).sum() / tokens.sum())
        for kept, replicas in ((0, 1), (1e5, 1), (1e6, 1), (1e9, 1), (1e9, 8))
    ]
    assert shares[0] == 0.0
    assert shares[0] < shares[1] < shares[2] < shares[3]
    assert shares[4] < shares[3]
    seen: set[int] = set()
    ideal = 0
    for row, length in zip(rows, tokens, strict=True):
        hits = 0
        for block in row["hash_ids"]:
            if block not in seen:
                break
            hits += 1
        seen.update(row["hash_ids"])
        ideal += min(hits * 512, int(length))
    assert shares[3] == pytest.approx(ideal / tokens.sum())


def test_bad_input() -> None:
    with pytest.raises(ServingError, match="blocks of 0"):
        reused_tokens(prefixes([[1]]), 10.0, block_tokens=0)
