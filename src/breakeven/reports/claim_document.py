"""Claim document: a checked claim as plain data, the one JSON behind every surface. No infinity: null and `never`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.claims.check import CheckedClaim, Row
from breakeven.claims.estimates import LeftOut, MissingLine
from breakeven.claims.file import FigureEntry, SpanEntry
from breakeven.facts.trace import Node
from breakeven.reports.claim_wording import verdict_sentence

SCHEMA_VERSION: Final = "1.0"


def claim_document(checked: CheckedClaim, catalog: Catalog, *, traces: bool = True) -> dict[str, Any]:
    """Everything that a check found, ready for `json.dumps(..., allow_nan=False)`."""
    entry = checked.file.entry
    source = entry.source
    return {
        "schema_version": SCHEMA_VERSION,
        "claim": checked.file.name,
        "title": entry.title,
        "source": {
            "title": source.title,
            "link": source.link,
            "read": source.read.isoformat() if source.read else None,
            "grade": source.grade.value,
        },
        "kind": entry.kind,
        "tolerance": entry.tolerance,
        "verdict": checked.verdict,
        "reproduced": checked.is_reproduced,
        "sentence": verdict_sentence(checked),
        "why_wrong": entry.why_wrong or None,
        "figures": [_figure(row, traces) for row in checked.rows],
        "left_out": [_left_out(part, found) for part, found in checked.left_out.items()],
        "flags": list(checked.flags),
        "unused_facts": list(checked.unused),
        "notes": entry.notes or None,
        "catalogue": {"as_of": catalog.as_of.isoformat(), "digest": catalog.digest},
    }


def _figure(row: Row, traces: bool) -> dict[str, Any]:
    beside = row.with_lines
    found: dict[str, Any] = {
        "name": row.name,
        "published_as": row.published_as or None,
        "unit": row.unit,
        "published": _wanted(row.published),
        "expected": _wanted(row.expected),
        "recomputed": _number(row.value),
        "never": row.is_never,
        "unpriced": row.problem.startswith("UNPRICED"),
        "low": _number(row.low),
        "high": _number(row.high),
        "factor": _number(row.factor_ratio),
        "outcome": row.outcome,
        "inside_tolerance": row.outcome == "inside",
        "problem": row.problem or None,
        "may_be": [each.text for each in row.suspects],
        "with_missing_lines": None,
    }
    if beside is not None:
        ends = {"low": beside.low, "typical": beside.typical, "high": beside.high}
        found["with_missing_lines"] = {
            **{name: _number(value) for name, value in ends.items()},
            "never": {name: math.isinf(value) for name, value in ends.items()},
        }
    if traces:
        found["trace"] = trace_tree(row.node) if row.node is not None else None
    return found


def trace_tree(node: Node) -> dict[str, Any]:
    """A Node with its inputs nested, as plain data."""
    p10, p50, p90 = (float(each) for each in np.quantile(node.value, (0.1, 0.5, 0.9), method="inverted_cdf"))
    source = node.source
    return {
        "name": node.name,
        "unit": node.unit,
        "p10": _number(p10),
        "p50": _number(p50),
        "p90": _number(p90),
        "never": math.isinf(p50),
        "layer": node.layer.value,
        "formula": node.formula or None,
        "summary": node.summary or None,
        "source": {"title": source.title, "link": source.link, "grade": source.grade.value} if source else None,
        "inputs": [trace_tree(each) for each in node.inputs],
    }


def _left_out(part: str, found: LeftOut) -> dict[str, Any]:
    return {
        "part": part or None,
        "deployment": found.deployment,
        "gpus_count": found.gpus_count,
        "counted": list(found.counted),
        "lines": [_line(each) for each in found.lines],
    }


def _line(found: MissingLine) -> dict[str, Any]:
    return {
        "name": found.line.name,
        "title": found.line.title,
        "low_usd_per_month": _number(found.low_usd_per_month),
        "typical_usd_per_month": _number(found.typical_usd_per_month),
        "high_usd_per_month": _number(found.high_usd_per_month),
        "counted_usd_per_month": _number(found.counted_usd_per_month),
        "apart": found.line.apart,
        "reason": found.reason or None,
    }


def _wanted(wanted: FigureEntry | None) -> Any:
    if isinstance(wanted, SpanEntry):
        return {"low": wanted.low, "high": wanted.high}
    return wanted


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
