"""Corrections written as measured Facts are read back as they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.errors import CalibrationError
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import FIGURES, Correction, DeploymentKey, Figure, fit_correction
from breakeven.serving.measured_facts import facts_document, read_facts, write_facts
from breakeven.units import unit_of

KEY = DeploymentKey("Llama-3.1-8B", "H100 SXM", 2, "fp8", "vllm 0.9")
SOURCE = Source("measured on your endpoint: 3 points", "http://localhost:8000/v1", date(2026, 11, 25), Grade.MEASURED)


def correction(figure: Figure, key: DeploymentKey = KEY) -> Correction:
    return fit_correction(
        [1, 8, 64],
        [110.0, 600.0, 2400.0],
        [100.0, 500.0, 2500.0],
        key=key,
        figure=figure,
        measured_on=SOURCE.read,
        source_title=SOURCE.title,
    )


CORRECTIONS = [correction(figure) for figure in FIGURES]


@pytest.mark.parametrize("name", ["measured.yaml", "deeper/measured.json"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_facts(path, CORRECTIONS, SOURCE)
    found = read_facts(path)
    assert found.key == KEY
    assert found.source == SOURCE
    for before in CORRECTIONS:
        after = found.corrections[before.figure]
        assert (after.key, after.points_count, after.measured_on) == (before.key, 3, SOURCE.read)
        for at in (1.0, 30.0, 1000.0):
            assert after.interval(at).low == pytest.approx(before.interval(at).low, rel=1e-12)
            assert after.interval(at).high == pytest.approx(before.interval(at).high, rel=1e-12)


def test_they_are_facts(tmp_path: Path) -> None:
    write_facts(tmp_path / "m.yaml", CORRECTIONS, SOURCE)
    facts = read_facts(tmp_path / "m.yaml").assumptions()
    assert len(facts) == 2 * len(FIGURES)
    for fact in facts:
        assert fact.unit == unit_of(fact.name) == "ratio"
        assert fact.low < fact.typical < fact.high
        assert fact.source.grade is Grade.MEASURED
    text = (tmp_path / "m.yaml").read_text(encoding="utf-8")
    assert "grade: measured" in text
    assert "ln(measured / predicted) at a concurrency of" in text


def damaged(**changes: Any) -> dict[str, Any]:
    document = facts_document(CORRECTIONS, SOURCE)
    for place, value in changes.items():
        target, *steps = place.split("__")
        holder = document
        for step in [target, *steps][:-1]:
            holder = holder[step]
        if value is None:
            del holder[[target, *steps][-1]]
        else:
            holder[[target, *steps][-1]] = value
    return document


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "else"}, "no measured facts"),
        ({"schema_version": "2.0"}, "schema version 2.0; this breakeven reads 1.0"),
        ({"deployment__gpu": None}, "no 'gpu'"),
        ({"source__grade": "certain"}, "certain"),
        ({"corrections__ttft_ms__noise_sd_ratio": 0}, "ttft_ms noise is 0"),
        ({"corrections__ttft_ms__centre_concurrency_count": "x"}, "centre is 'x'"),
        ({"corrections__other": {}}, "unknown figures: other"),
        ({"corrections__tpot_ms__facts": {}}, "no 'tpot_correction_level_ratio'"),
    ],
)
def test_damaged_files(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(yaml.safe_dump(damaged(**changes)), encoding="utf-8")
    with pytest.raises(CalibrationError, match=said):
        read_facts(path)


def test_ranges_in_order(tmp_path: Path) -> None:
    document = facts_document(CORRECTIONS, SOURCE)
    name = "output_correction_level_ratio"
    document["corrections"]["output_tok_per_s"]["facts"][name]["range"] = {"low": 1, "typical": 0, "high": 2}
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(CalibrationError, match="wanted low <= typical <= high"):
        read_facts(tmp_path / "m.yaml")


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="No such file"):
        read_facts(tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(CalibrationError, match="no YAML"):
        read_facts(tmp_path / "bad.yaml")


def test_one_file_is_of_one_deployment() -> None:
    other = DeploymentKey("else", "H100 SXM", 2, "fp8")
    with pytest.raises(CalibrationError, match="corrections of 2 deployments"):
        facts_document([CORRECTIONS[0], correction("ttft_ms", other)], SOURCE)
