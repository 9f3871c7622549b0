"""Model context: which share of the calls is longer than what a model can read and write at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from breakeven.catalog.model import ModelSpec

if TYPE_CHECKING:
    from ibis import Table


def too_long_fractions(calls: Table, models: Iterable[ModelSpec]) -> dict[str, float]:
    """Model -> share of `calls` whose input and output together exceed its context, by the log's own token counts.

    Another model's tokeniser counts a little differently. Empty when the log has buckets of calls only, whose lengths
    nobody knows.
    """
    import ibis

    models = tuple(models)
    requests = calls.filter(calls.grain == "request")
    requests = requests.mutate(
        length=ibis.coalesce(requests.input_tokens, 0) + ibis.coalesce(requests.output_tokens, 0),
        calls=ibis.coalesce(requests.request_count, 1) * ibis.coalesce(requests.weight, 1.0),
    )
    columns = {each.context_tokens: f"over_{each.context_tokens}" for each in models}
    sums = {name: requests.calls.sum(where=requests.length > tokens) for tokens, name in columns.items()}
    row = requests.aggregate(all_calls=requests.calls.sum(), **sums).to_pyarrow().to_pylist()[0]
    if not row["all_calls"]:
        return {}
    return {each.name: (row[columns[each.context_tokens]] or 0.0) / row["all_calls"] for each in models}
