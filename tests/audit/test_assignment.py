"""Assignment: hand-made rules, each call in its place, on DuckDB and on Spark alike."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.audit.assignment import TASK, with_tasks
from breakeven.audit.grouping import ClusterRule, Grouping, MetadataRule, ShapeRule, TemplateRule
from breakeven.audit.metadata import group_by_metadata
from breakeven.audit.sample import order_key, sampled
from workload import typed_calls
from workload.typed_calls import call, table

SPARK_MARKS = [pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")]
SHOP = ("", "", "shop", "", "", "", "")
RULES = Grouping(
    kept={"application": ("shop",), "task": ("named",)},
    metadata=(MetadataRule(SHOP, "g"), MetadataRule(("named", "", "shop", "", "", "", ""), "n")),
    templates=(
        TemplateRule("g", 3, 33, "g.t1"),
        TemplateRule("g", 4, 44, "g.t2"),
        TemplateRule("other", 2, 22, "other.t1"),
    ),
    clusters=(
        ClusterRule("g", "g.c1", ((7, 1.0), (8, 0.5))),
        ClusterRule("g", "g.c2", ((9, 0.7),)),
    ),
    shapes=(ShapeRule("g", "gpt-5", "short", "g.s1"),),
)


@pytest.fixture(scope="module", params=["duckdb", pytest.param("spark", marks=SPARK_MARKS)])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Typed calls become tables of DuckDB, then of Spark."""
    if request.param == "duckdb":
        yield "duckdb"
        return
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    with tempfile.TemporaryDirectory() as folder:
        typed_calls.as_table = typed_calls.on_spark(Path(folder))
        yield "spark"
        typed_calls.as_table = typed_calls.in_memory


CALLS = {
    "g.t1": {"application": "shop", "prompt_words": (11, 22, 33, 55), "prompt_terms": (9,)},
    "g.t2": {"application": "shop", "prompt_words": (11, 22, 33, 44), "prompt_terms": ()},
    "g.c1": {"application": "shop", "prompt_words": (1,), "prompt_terms": (7, 9)},
    "g.c2": {"application": "shop", "prompt_words": (1,), "prompt_terms": (8, 9)},
    "g": {"application": "shop", "prompt_words": (1,), "prompt_terms": (123,)},
    "g.s1": {"application": "shop", "output_tokens": 32},
    "n": {"application": "shop", "task": "named", "prompt_words": (11, 22, 33)},
    "rest": {"application": "never seen", "prompt_words": (11, 22, 33)},
}


def test_each_rule_takes_its_calls_and_the_strongest_wins(engine: str) -> None:
    calls = [call(number, number, **fields) for number, fields in enumerate(CALLS.values())]
    found = with_tasks(table(calls), RULES)
    rows = found.select("record_id", TASK).to_pyarrow().to_pylist()
    tasks = dict(sorted((int(row["record_id"]), row[TASK]) for row in rows))
    assert list(tasks.values()) == list(CALLS)


def test_a_sample_is_the_same_calls_on_every_engine(engine: str) -> None:
    calls = table([call(number, number) for number in range(400)])
    rows = sampled(calls, 400, seed=1, most_count=100).select("record_id").to_pyarrow().to_pylist()
    first = calls.order_by(order_key(calls.record_id, 1)).limit(3).select("record_id").to_pyarrow().to_pylist()
    key = {str(number): hashlib.md5(f"{number}/1".encode()).hexdigest() for number in range(400)}
    assert [row["record_id"] for row in first] == sorted(key, key=key.__getitem__)[:3]
    assert {row["record_id"] for row in rows} == {each for each in key if key[each][:8] < f"{16**8 // 4:08x}"}
    assert 70 <= len(rows) <= 130


def test_groups_are_the_same_on_every_engine(engine: str) -> None:
    one = [call(number, number, application="shop", system_hash="steady") for number in range(30)]
    many = [call(100 + number, number, application="shop", system_hash=f"daily {number}") for number in range(30)]
    keys = [call(200 + number, number, api_key_hash="key") for number in range(30)]
    found = group_by_metadata(table([*one, *many, *keys]))
    labels = {(each.label, each.rows_count) for each in found.groups}
    assert labels == {("shop", 30), ("key key", 30), ("shop / prompt steady", 30)}
