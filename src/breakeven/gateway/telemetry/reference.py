"""Reference of metrics: the page that prints the metric table.

``python -m breakeven.gateway.telemetry.reference`` writes docs/reference/gateway-metrics.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from breakeven.gateway.telemetry.metric_table import (
    CELLS_MAX_COUNT,
    DURATION_BOUNDS_S,
    LABELS_MAX_COUNT,
    METRICS,
    PREFIX,
)

PAGE: Final = Path(__file__).parents[4] / "docs" / "reference" / "gateway-metrics.md"


def page() -> str:
    """The page as Markdown."""
    edges = ", ".join(f"{each:g}" for each in DURATION_BOUNDS_S)
    lines = [
        "# Metrics of the gateway",
        "",
        "Printed from `gateway/telemetry/metric_table.py` by `python -m breakeven.gateway.telemetry.reference`.",
        "",
        "Prometheus asks `GET /metrics` on the admin port (no token). Relay processes write their numbers once a",
        "second; the control process adds them up. A process that starts again goes on from its last snapshot, so a",
        "total does not fall, and loses at most the second before it was killed. Gauges are of processes that told",
        "them within 5 s.",
        "",
        f"The first {LABELS_MAX_COUNT} values of a label are told apart, and {CELLS_MAX_COUNT:,} combinations of",
        "model, upstream and task; what comes later is counted as `other`, so a client cannot make series at will.",
        "`task` is empty where nobody named it. No label holds a key, a prompt or a client's address.",
        "",
        f"Edges of histograms, s: {edges}.",
        "",
        "Dashboard: `deploy/grafana-dashboard.json`; alarms: `deploy/prometheus-rules.yaml`.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for each in METRICS:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        lines.append(f"| `{PREFIX}{each.name}` | {each.type} | {labels} | {each.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
