"""Mooncake traces: one JSON object per request with milliseconds since an unknown start, lengths and block hashes.

Source: github.com/kvcache-ai/Mooncake, FAST25-release/traces (Apache-2.0). `hash_ids` name the 512-token blocks of
the prompt: equal ids are equal prefixes. The start is not published, so times are anchored at `ANCHOR` and flagged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from breakeven.usage.importers.importer import Importer, RelativeTime
from breakeven.usage.reading.head import Head

ANCHOR: Final = datetime(2024, 6, 3, tzinfo=UTC)
"""Where the trace's time 0 is put: a Monday of the month the traces were published. The real date is not known."""

_COLUMNS = frozenset({"timestamp", "input_length", "output_length"})


def _confidence(head: Head) -> float:
    if not head.names >= _COLUMNS:
        return 0.0
    return 1.0 if "hash_ids" in head.names else 0.8


IMPORTER = Importer(
    name="mooncake_trace",
    title="Mooncake request trace (JSONL)",
    shapes=frozenset({"jsonl"}),
    fields={
        "start_time": ("timestamp",),
        "input_tokens": ("input_length",),
        "output_tokens": ("output_length",),
        "prefix_hashes": ("hash_ids",),
    },
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    relative_time=RelativeTime(ANCHOR, units_per_s=1000.0),
    concludes=(
        "Requests with lengths, order and reusable prefixes. The date is unknown, so no day or hour of the week; "
        "no model, so no spend; no latency, user or outcome."
    ),
)
