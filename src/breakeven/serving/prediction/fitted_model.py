"""Fitted model: what was learned from public measurements, as it stands in data/coefficients.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import ServingError
from breakeven.facts.source import Grade, Source
from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.corrections import Corrections, Effects
from breakeven.serving.prediction.parameters import PARAMETERS, Values
from breakeven.serving.prediction.regime import ErrorTable, HeldOutErrors

FILE: Final = "coefficients.json"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class FittedModel:
    """All that was learned from measurements."""

    values: Values
    corrections: Corrections
    first_token_weights: Floats
    """Shape ``(features,)``: weights of the features of FirstTokens."""
    first_token_corrections: Corrections
    architectures: frozenset[str] = frozenset()
    """Shapes of models that were measured."""
    gpus: frozenset[str] = frozenset()
    """GPUs that were measured in closed loops."""
    errors: ErrorTable | None = None
    source: Source | None = None
    rows_count: int = 0
    latency_bound_ratios: Mapping[str, float] = field(default_factory=dict)
    """Scenario -> throughput under its latency target over that of offline work (MLPerf's server and interactive)."""
    calibration_sd_ratios: Mapping[str, tuple[float, float, float]] | None = None
    """Figure -> standard deviations of level, slope and noise of deployments around the model."""


@lru_cache(maxsize=1)
def shipped_model() -> FittedModel:
    """The model that ships with the product."""
    text = files("breakeven.serving.prediction").joinpath("data", FILE).read_text(encoding="utf-8")
    return from_json(json.loads(text))


def from_json(data: Mapping[str, Any]) -> FittedModel:
    """A model as `to_json` wrote it; raises ServingError for another version or a missing parameter."""
    if data.get("version") != VERSION:
        raise ServingError(f"coefficients of version {data.get('version')}; wanted {VERSION}: fit them again")
    values = {name: float(entry["value"]) for name, entry in data["parameters"].items()}
    missing = [each.name for each in PARAMETERS if each.name not in values]
    if missing:
        raise ServingError(f"coefficients lack {', '.join(missing)}; fit them again")
    source = data["source"]
    return FittedModel(
        values,
        _corrections(data["corrections"]),
        np.array(list(data["first_token"]["weights"]), dtype=np.float64),
        _corrections(data["first_token"]["corrections"]),
        frozenset(data["architectures"]),
        frozenset(data["gpus"]),
        {name: HeldOutErrors(**entry) for name, entry in data["errors"].items()},
        Source(source["title"], source["link"], date.fromisoformat(source["read"]), Grade(source["grade"])),
        int(data["rows_count"]),
        {name: float(each) for name, each in data["latency_bound_ratios"].items()},
        {name: (row[0], row[1], row[2]) for name, row in data["calibration_sd_ratios"].items()},
    )


def to_json(model: FittedModel, left_out: Mapping[str, int]) -> dict[str, Any]:
    """The model as plain data; every parameter with its unit, prior, bounds and meaning."""
    assert model.source is not None and model.errors is not None and model.calibration_sd_ratios is not None
    parameters = {
        each.name: {
            "value": float(f"{model.values[each.name]:.6g}"),
            "unit": each.unit,
            "prior": each.typical,
            "low": each.low,
            "high": each.high,
            "meaning": each.meaning,
        }
        for each in PARAMETERS
    }
    return {
        "version": VERSION,
        "source": {
            "title": model.source.title,
            "link": model.source.link,
            "read": model.source.read.isoformat(),
            "grade": model.source.grade.value,
        },
        "rows_count": model.rows_count,
        "left_out": dict(left_out),
        "parameters": parameters,
        "architectures": sorted(model.architectures),
        "gpus": sorted(model.gpus),
        "latency_bound_ratios": {name: round(each, 4) for name, each in model.latency_bound_ratios.items()},
        "errors": {name: asdict(entry) for name, entry in model.errors.items()},
        "calibration_sd_ratios": {name: list(row) for name, row in model.calibration_sd_ratios.items()},
        "corrections": _plain(model.corrections),
        "first_token": {
            "weights": [round(float(each), 5) for each in model.first_token_weights],
            "corrections": _plain(model.first_token_corrections),
        },
    }


def write_model(path: Path, model: FittedModel, left_out: Mapping[str, int]) -> None:
    """Write the model where it ships, or elsewhere."""
    data = to_json(model, left_out)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(corrections: Corrections) -> dict[str, dict[str, list[float]]]:
    def rows(effects: Effects) -> dict[str, list[float]]:
        return {label: [round(each, 4) for each in row] for label, row in sorted(effects.items())}

    return {"model_versions": rows(corrections.model_versions), "deployments": rows(corrections.deployments)}


def _corrections(data: Mapping[str, Mapping[str, list[float]]]) -> Corrections:
    def effects(rows: Mapping[str, list[float]]) -> Effects:
        return {label: (row[0], row[1], row[2]) for label, row in rows.items()}

    return Corrections(effects(data["model_versions"]), effects(data["deployments"]))
