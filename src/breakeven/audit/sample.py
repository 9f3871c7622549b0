"""Sample: a bounded share of the Calls, the same on every engine: by a hash of the record's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ibis import Table

SAMPLE_MAX_COUNT: Final = 40_000
"""Calls that templates are mined from at most."""
_DIGITS: Final = 8


def order_key(record_id: Any, seed: int) -> Any:
    """A text that sorts calls in an order that has nothing to do with them, the same on every engine."""
    import ibis

    return (record_id + ibis.literal(f"/{seed}")).hexdigest("md5")


def in_sample(record_id: Any, rows_count: int, seed: int, most_count: int = SAMPLE_MAX_COUNT) -> Any:
    """Whether a call is among about `most_count` of `rows_count`, as a column; True where there are fewer."""
    import ibis

    if rows_count <= most_count:
        return ibis.literal(True)
    limit = f"{int(most_count / rows_count * 16**_DIGITS):0{_DIGITS}x}"
    return order_key(record_id, seed).substr(0, _DIGITS) < limit


def sampled(calls: Table, rows_count: int, seed: int, most_count: int = SAMPLE_MAX_COUNT) -> Table:
    """About `most_count` of `rows_count` calls, or all of them when there are fewer."""
    return calls if rows_count <= most_count else calls.filter(in_sample(calls.record_id, rows_count, seed, most_count))
