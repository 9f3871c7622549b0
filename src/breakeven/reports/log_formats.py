"""Log formats: what logs of each format hold and what nobody can conclude from them; page, table and JSON alike.

python -m breakeven.reports.log_formats [DOCS_FOLDER]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Final

from breakeven.usage.importers import importers
from breakeven.usage.importers.importer import Importer

PAGE: Final = Path("reference") / "log-formats.md"
COMMAND: Final = "python -m breakeven.reports.log_formats"
_INTRODUCTION: Final = (
    f"Printed by `{COMMAND}` from the importers themselves; `breakeven formats` prints the same. "
    "Formats are recognised by their content; `--format NAME` asks for one. *Requests*: one row is one call. "
    "*Buckets*: one row is a span of time, so there are no lengths of single calls, no bursts inside it and no tasks. "
    "*Bills*: amounts without calls, for `breakeven reconcile`."
)
_GRAINS: Final = {"request": "requests", "bucket": "buckets", "bill": "bills"}
_SHAPES: Final = {
    "jsonl": "JSON lines",
    "json": "JSON",
    "csv": "CSV",
    "parquet": "Parquet",
    "metrics": "Prometheus text",
}


@dataclass(frozen=True, slots=True)
class LogFormat:
    """One log format, in words."""

    name: str
    title: str
    grain: str
    """requests, buckets or bills: of its finest rows."""
    prompts: str
    latency: str
    first_token: str
    cost: str
    files: str
    concludes: str


def log_formats() -> tuple[LogFormat, ...]:
    """Every format that an importer reads, by name."""
    return tuple(_described(each) for _, each in sorted(importers().items()))


def page() -> str:
    """The table of formats as Markdown."""
    lines = [
        "# Log formats",
        "",
        *wrap(_INTRODUCTION, 118),
        "",
        "| format | rows | prompts | latency | first token | cost | files |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in log_formats():
        cells = (each.grain, each.prompts, each.latency, each.first_token, each.cost, each.files)
        lines.append(f"| [{each.title}](importers/{each.name}.md) `{each.name}` | {' | '.join(cells)} |")
    lines += ["", "## What each can and cannot tell", ""]
    lines += [f"- **{each.name}**: {each.concludes}" for each in log_formats()]
    return "\n".join(lines) + "\n"


def _described(importer: Importer) -> LogFormat:
    holds = importer.holds
    shapes = ", ".join(name for shape, name in _SHAPES.items() if shape in importer.shapes)
    yes = {True: "yes", False: "no"}
    return LogFormat(
        importer.name,
        importer.title,
        _GRAINS[holds.grain],
        holds.prompts,
        yes[holds.latency],
        yes[holds.first_token],
        yes[holds.cost],
        shapes,
        importer.concludes,
    )


if __name__ == "__main__":
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "docs"
    (docs / PAGE).write_text(page(), encoding="utf-8")
