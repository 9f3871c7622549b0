"""Which engine a name means."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.errors import EngineError
from breakeven.usage.store import CallStore, spark_engine
from breakeven.usage.store.analyst import DUCKDB, analyst_named

from ..logs import jsonl, row, write


def test_duckdb_is_the_stores_own() -> None:
    assert analyst_named(DUCKDB) is None


def test_an_unknown_engine_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="did you mean 'spark'"):
        CallStore(tmp_path / "store", engine="sparc")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("spark", True), ("spark://host:7077", True), ("sc://host", True), ("duckdb", False), ("sparkle", False)],
)
def test_names_of_spark(name: str, wanted: bool) -> None:
    assert spark_engine.is_spark(name) is wanted


def test_spark_without_java_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    monkeypatch.setattr(spark_engine, "_has_java", lambda: False)
    with pytest.raises(EngineError, match="openjdk-17-jre-headless"):
        analyst_named("spark")


def test_the_command_line_hands_the_name_on(tmp_path: Path) -> None:
    log = write(tmp_path, jsonl(*(row(n) for n in range(200))))
    result = CliRunner().invoke(group, ["profile", "--usage", str(log), "--engine", "polars"])
    assert isinstance(result.exception, EngineError)
    assert "--engine polars" in str(result.exception)
