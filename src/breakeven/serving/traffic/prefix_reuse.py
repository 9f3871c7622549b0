"""Prefix reuse: how much of each prompt a replica still has in its cache, when it keeps the blocks used last.

A block of a prompt is found again when all blocks before it are, too. Blocks count as kept from the arrival of the
request that brought them, and as used together: of one request the first block is the last to be thrown out, as
engines do it. What decoding sequences occupy is not kept for reuse: give the room that is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from breakeven.errors import ServingError
from breakeven.serving.traffic.finish_queue import Ints, compiled
from breakeven.workload.arrivals import Prefixes

MOONCAKE_BLOCK_TOKENS = 512
"""Tokens of a block in the Mooncake traces."""


def reused_tokens(
    prefixes: Prefixes,
    kept_tokens: float,
    *,
    replica: ArrayLike | None = None,
    block_tokens: int = MOONCAKE_BLOCK_TOKENS,
) -> Ints:
    """Tokens of each prompt found in the cache of the replica that serves it (one replica by default).

    >>> found = reused_tokens(Prefixes(np.array([7, 8, 7, 8, 9, 4]), np.array([2, 5, 6])), 1e6)
    >>> found.tolist()
    [0, 1024, 0]
    """
    if block_tokens < 1 or not kept_tokens >= 0:
        raise ServingError(f"a cache of {kept_tokens:g} tokens in blocks of {block_tokens}; wanted 0 or more, and 1")
    names, blocks = np.unique(prefixes.hashes, return_inverse=True)
    served_by = np.zeros(prefixes.ends.size) if replica is None else np.asarray(replica)
    served_by = np.broadcast_to(served_by, prefixes.ends.shape)
    room = int(min(kept_tokens // block_tokens, names.size))
    found = np.zeros(prefixes.ends.size, np.int64)
    if room:
        _count_found(
            blocks.astype(np.int64), prefixes.ends, np.asarray(served_by, np.int64).copy(), names.size, room, found
        )
    return found * block_tokens


@compiled
def _count_found(blocks: Ints, ends: Ints, served_by: Ints, names: int, room: int, found: Ints) -> None:
    """A list from the block used last to the one used longest ago, for each replica; `names` is its fixed end."""
    newer, older = np.empty(names + 1, np.int64), np.empty(names + 1, np.int64)
    for replica in range(served_by.max() + 1):
        newer[:] = -1
        newer[names] = older[names] = names
        kept = 0
        for request in range(ends.size):
            if served_by[request] != replica:
                continue
            first = ends[request - 1] if request > 0 else 0
            at = first
            while at < ends[request] and newer[blocks[at]] >= 0:
                at += 1
            found[request] = at - first
            for each in range(ends[request] - 1, first - 1, -1):
                block = blocks[each]
                if newer[block] >= 0:
                    older[newer[block]] = older[block]
                    newer[older[block]] = newer[block]
                else:
                    kept += 1
                last = older[names]
                older[block], newer[block] = last, names
                newer[last], older[names] = block, block
                if kept > room:
                    oldest = newer[names]
                    newer[names] = newer[oldest]
                    older[newer[oldest]] = names
                    newer[oldest] = -1
                    kept -= 1
