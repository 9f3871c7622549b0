"""Measured facts: the corrections of one deployment as a file: Facts with unit, range and Source, grade `measured`.

Low, typical and high are 5 %, 50 % and 95 % quantiles as everywhere; the standard deviations are read back from them.
Any JSON is YAML, so a file of either kind is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

from breakeven.errors import CalibrationError
from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import FIGURES, Correction, DeploymentKey, Figure

KIND: Final = "breakeven.measured"
SCHEMA_VERSION: Final = "1.0"
_Z_HIGH: Final = NormalDist().inv_cdf(HIGH_QUANTILE)
_NAMES: Final[Mapping[Figure, str]] = {"output_tok_per_s": "output", "ttft_ms": "ttft", "tpot_ms": "tpot"}
_TERMS: Final = ("level", "slope")


@dataclass(frozen=True, slots=True)
class MeasuredFacts:
    """What was measured on one deployment."""

    key: DeploymentKey
    source: Source
    corrections: Mapping[Figure, Correction]

    def assumptions(self) -> tuple[Assumption, ...]:
        """Every number as a Fact."""
        return tuple(fact for each in self.corrections.values() for fact in facts_of(each, self.source))


def facts_of(correction: Correction, source: Source) -> tuple[Assumption, Assumption]:
    """Level and slope of a correction as Facts: natural logarithms of measured over predicted."""
    name = _NAMES[correction.figure]
    level_note = f"ln(measured / predicted) at a concurrency of {correction.centre_concurrency_count:.4g}"
    slope_note = "change of ln(measured / predicted) per unit of ln(concurrency)"
    return (
        _fact(f"{name}_correction_level_ratio", correction.level_ratio, correction.level_sd_ratio, source, level_note),
        _fact(f"{name}_correction_slope_ratio", correction.slope_ratio, correction.slope_sd_ratio, source, slope_note),
    )


def facts_document(corrections: Sequence[Correction], source: Source) -> dict[str, Any]:
    """The file's content."""
    keys = {each.key for each in corrections}
    if len(keys) != 1:
        raise CalibrationError(f"corrections of {len(keys)} deployments; wanted those of one")
    key = corrections[0].key
    return {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "deployment": {
            "model": key.model,
            "gpu": key.gpu,
            "gpus_count": key.gpus_count,
            "precision": key.precision,
            "engine": key.engine,
        },
        "source": {
            "title": source.title,
            "link": source.link,
            "read": source.read.isoformat(),
            "grade": source.grade.value,
        },
        "corrections": {each.figure: _correction_entry(each, source) for each in corrections},
    }


def write_facts(path: Path, corrections: Sequence[Correction], source: Source) -> None:
    """Write the file: JSON where its name ends in .json, else YAML."""
    document = facts_document(corrections, source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(document, as_json=path.suffix.lower() == ".json"), encoding="utf-8")
    except OSError as error:
        raise CalibrationError(f"cannot write {path}: {error.strerror}") from None


def read_facts(path: Path) -> MeasuredFacts:
    """Read such a file; raises CalibrationError that names what is missing or odd."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    except yaml.YAMLError as error:
        raise CalibrationError(f"{path}: no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise CalibrationError(f"{path}: no measured facts; wanted a file that `breakeven calibrate --out` wrote")
    version = str(document.get("schema_version"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise CalibrationError(
            f"{path}: schema version {version}; this breakeven reads {SCHEMA_VERSION}. Use the newer one."
        )
    try:
        return _facts(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise CalibrationError(f"{path}: {what}; write the file again with `breakeven calibrate --out`") from None


def _text(document: Mapping[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(document, indent=2, allow_nan=False) + "\n"
    import yaml

    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=120)


def _correction_entry(correction: Correction, source: Source) -> dict[str, Any]:
    facts = {
        fact.name: {
            "unit": fact.unit,
            "range": {"low": fact.low, "typical": fact.typical, "high": fact.high},
            "note": fact.note,
        }
        for fact in facts_of(correction, source)
    }
    return {
        "facts": facts,
        "centre_concurrency_count": correction.centre_concurrency_count,
        "noise_sd_ratio": correction.noise_sd_ratio,
        "points_count": correction.points_count,
        "concurrency_seen": {"low": correction.low_concurrency_count, "high": correction.high_concurrency_count},
    }


def _facts(document: Mapping[str, Any]) -> MeasuredFacts:
    where, said = document["deployment"], document["source"]
    key = DeploymentKey(
        str(where["model"]), str(where["gpu"]), int(where["gpus_count"]), str(where["precision"]), str(where["engine"])
    )
    source = Source(str(said["title"]), str(said["link"]), _day(said["read"]), Grade(said["grade"]))
    entries = document["corrections"]
    unknown = set(entries) - set(FIGURES)
    if unknown:
        raise ValueError(f"corrections of unknown figures: {', '.join(sorted(unknown))}")
    found = {figure: _correction(figure, entries[figure], key, source) for figure in FIGURES if figure in entries}
    return MeasuredFacts(key, source, found)


def _correction(figure: Figure, entry: Mapping[str, Any], key: DeploymentKey, source: Source) -> Correction:
    middle, spread = {}, {}
    for term in _TERMS:
        numbers = entry["facts"][f"{_NAMES[figure]}_correction_{term}_ratio"]["range"]
        low, typical, high = (_finite(numbers[name], f"{figure} {term} {name}") for name in ("low", "typical", "high"))
        if not low <= typical <= high:
            raise ValueError(f"{figure} {term}: wanted low <= typical <= high, saw {low:g}, {typical:g}, {high:g}")
        middle[term], spread[term] = typical, (high - low) / (2 * _Z_HIGH)
    seen = entry["concurrency_seen"]
    return Correction(
        key=key,
        figure=figure,
        level_ratio=middle["level"],
        level_sd_ratio=spread["level"],
        slope_ratio=middle["slope"],
        slope_sd_ratio=spread["slope"],
        noise_sd_ratio=_positive(entry["noise_sd_ratio"], f"{figure} noise"),
        centre_concurrency_count=_positive(entry["centre_concurrency_count"], f"{figure} centre"),
        points_count=int(entry["points_count"]),
        low_concurrency_count=_positive(seen["low"], f"{figure} least concurrency"),
        high_concurrency_count=_positive(seen["high"], f"{figure} greatest concurrency"),
        measured_on=source.read,
        source_title=source.title,
    )


def _fact(name: str, typical: float, sd: float, source: Source, note: str) -> Assumption:
    return Assumption(name, "ratio", typical - _Z_HIGH * sd, typical, typical + _Z_HIGH * sd, source, note)


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _finite(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{what} is {value!r}; wanted a finite number")
    return float(value)


def _positive(value: object, what: str) -> float:
    number = _finite(value, what)
    if number <= 0:
        raise ValueError(f"{what} is {number:g}; wanted a number above 0")
    return number
