"""The one Spark session of a test process: tiny tables need no compiled code, one part and no optimiser that adapts."""

from __future__ import annotations

import os
import shutil

import pytest

SETTINGS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
}
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
PANDAS_WARNING = "ignore:PySpark does not yet fully support pandas:FutureWarning"


def start_spark() -> None:
    """Start the session, or skip the test with what is missing."""
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    from breakeven.usage.store.spark_engine import SparkEngine

    os.environ.setdefault("JDK_JAVA_OPTIONS", JAVA_OPTIONS)
    session = SparkEngine()._session
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
