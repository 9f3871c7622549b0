"""What a relay loads of metering and limits: nothing heavy."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import breakeven.gateway.limits.shared_limits, breakeven.gateway.metering.call_line
import breakeven.gateway.metering.kept_prompts, breakeven.gateway.metering.pricing
import breakeven.gateway.metering.write_ahead
heavy = {"pyarrow", "pandas", "pydantic", "yaml", "duckdb", "ibis", "scipy", "redis", "starlette", "prometheus_client"}
print(*sorted(heavy & set(sys.modules)))
"""


def test_a_relay_loads_nothing_heavy_for_its_records() -> None:
    found = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
