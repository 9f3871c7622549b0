"""Retries seen: a request that the same session sends again soon was not answered well; silence is taken for consent.

The same prompt in the same session (or by the same user) within some minutes, or a later Call that names this one as
what it repeats. It is the weakest of all sources: people give up in silence, and programs repeat themselves for other
reasons. A call near the end of the log is not judged: nobody saw whether it would be repeated. Nor is one that ran
beside another (its parent is a Call of the log): a shadow, a hedge, the second model that a cascade compares with.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ibis import Table

RETRY_MINUTES_COUNT: Final = 10
ASKED_AGAIN: Final = "asked_again"


def with_retries(calls: Table, retry_minutes_count: float = RETRY_MINUTES_COUNT) -> Table:
    """`calls` with the column `asked_again`: True, False, or null where nobody can tell."""
    import ibis

    unit = ibis.coalesce(calls.session_id, calls.unit_hash)
    asked = calls.select(asked_id="record_id")
    # a copy, a hedge, or a model that is only compared with: nobody asked again
    beside = ibis.coalesce(calls.parent_id.isin(asked.asked_id), False)
    keyed = calls.mutate(retry_unit=unit, is_beside=beside)
    group = [keyed.is_beside, keyed.retry_unit, keyed.prompt_hash]
    order = ibis.window(group_by=group, order_by=[keyed.start_time, keyed.record_id])
    horizon = ibis.literal(timedelta(minutes=retry_minutes_count))
    timed = keyed.mutate(next_time=keyed.start_time.lead().over(order), last_time=keyed.start_time.max().over())
    repeated = calls.filter(calls.retry_of.notnull()).select(repeated_id="retry_of").distinct()
    joined = timed.left_join(repeated, timed.record_id == repeated.repeated_id)
    traceable = joined.retry_unit.notnull() & joined.prompt_hash.notnull() & ~joined.is_beside
    soon = joined.next_time.notnull() & (joined.next_time <= joined.start_time + horizon)
    seen_enough = joined.start_time + horizon <= joined.last_time
    again = ibis.cases(
        (joined.repeated_id.notnull(), True),
        (traceable & soon, True),
        (traceable & seen_enough, False),
        else_=ibis.null("boolean"),
    )
    return joined.mutate(**{ASKED_AGAIN: again}).select(*calls.columns, ASKED_AGAIN)
