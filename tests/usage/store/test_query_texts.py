"""A text is worked out once, is that of the expression alone, and answers from the store that is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from unittest import mock

import ibis
import pytest
from ibis.backends.duckdb import Backend

from breakeven.usage.store import CallStore
from breakeven.usage.store.query_texts import TEXTS_MAX_COUNT, duckdb_backend
from breakeven.workload.spend import priced
from breakeven.workload.uses import model_uses

from ..logs import jsonl, row, write

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def table(backend: ibis.BaseBackend, name: str, **columns: str) -> ibis.Table:
    """An empty table of a backend."""
    told = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    backend.con.execute(f"CREATE TABLE {name} ({told})")
    return backend.table(name)


def texts_made(work: object) -> int:
    """How many texts Ibis had to work out."""
    with mock.patch.object(Backend, "compile", autospec=True, side_effect=Backend.compile) as compiled:
        assert callable(work)
        work()
    return compiled.call_count


def test_the_second_store_asks_for_no_text_and_answers_its_own_rows(tmp_path: Path) -> None:
    found = []

    def asked(count: int) -> None:
        path = write(tmp_path, jsonl(*(row(number, task=f"a{count}") for number in range(count))), f"{count}.jsonl")
        with CallStore.temporary() as store:
            store.ingest(path, now=NOW)
            found.append(model_uses(priced(store.calls(), [])))

    asked(3)
    assert texts_made(lambda: asked(5)) == 0
    assert [[use.requests_count for use in each] for each in found] == [[3], [5]]


def test_tables_with_other_columns_or_types_do_not_share_a_text() -> None:
    sums = []
    for kind in ("BIGINT", "DOUBLE", "VARCHAR"):
        mine = table(duckdb_backend(), "rows_of_a_test", a=kind, b="BIGINT")
        sums.append(ibis.to_sql(mine.a.cast("float64").sum() + mine.b.max()))
        backend = mine.get_backend()
        assert backend.compile(mine.a.cast("float64").sum()) == Backend.compile(backend, mine.a.cast("float64").sum())
    assert len({*sums}) == 2, "a number that is a float needs no cast, the others do"
    more = table(duckdb_backend(), "rows_of_a_test", a="BIGINT", c="DATE", b="BIGINT")
    assert more.get_backend().compile(more) == Backend.compile(more.get_backend(), more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda t: t.a == 1, lambda t: t.a == 2),
        (lambda t: t.a == 1, lambda t: t.a == 1.0),
        (lambda t: t.d == date(2026, 1, 1), lambda t: t.d == date(2026, 1, 2)),
        (lambda t: t.s == "x", lambda t: t.s == "X"),
        (lambda t: t.s == "1", lambda t: t.a == 1),
        (lambda t: t.a + 1, lambda t: t.a - 1),
        (lambda t: t.a.sum(where=t.s == "x"), lambda t: t.a.sum(where=t.s != "x")),
        (lambda t: t.order_by("a").limit(3), lambda t: t.order_by("a").limit(4)),
        (lambda t: t.order_by("a"), lambda t: t.order_by(ibis.desc("a"))),
        (lambda t: t.select("a", "s"), lambda t: t.select("s", "a")),
        (lambda t: t.a.name("x"), lambda t: t.a.name("y")),
    ],
)
def test_other_expressions_have_other_texts(one: object, other: object) -> None:
    """Those of the same name and schema in another backend have the same."""
    texts = []
    for _ in range(2):
        backend = duckdb_backend()
        mine = table(backend, "t", a="BIGINT", s="VARCHAR", d="DATE")
        assert callable(one) and callable(other)
        texts.append((backend.compile(one(mine).as_table()), backend.compile(other(mine).as_table())))
        assert texts[-1] == tuple(Backend.compile(backend, each(mine).as_table()) for each in (one, other))
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[0][1]


def test_limits_and_layout_are_no_part_of_what_is_known() -> None:
    backend = duckdb_backend()
    mine = table(backend, "u", a="BIGINT")
    plain = backend.compile(mine)
    assert "LIMIT 2" in backend.compile(mine, limit=2)
    assert "\n" in backend.compile(mine.filter(mine.a > 1), pretty=True)
    assert backend.compile(mine) == plain


def test_old_texts_are_forgotten() -> None:
    backend = duckdb_backend()
    mine = table(backend, "v", a="BIGINT")
    asked = [mine.a + number for number in range(TEXTS_MAX_COUNT + 1)]
    for each in asked[:2]:
        backend.compile(each)
    assert texts_made(lambda: backend.compile(asked[0])) == 0
    with mock.patch.object(Backend, "compile", return_value="SELECT 1"):
        for each in asked[2:]:
            backend.compile(each)
    assert texts_made(lambda: backend.compile(asked[0])) == 1
