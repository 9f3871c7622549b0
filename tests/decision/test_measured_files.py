"""Measured files of a scenario: read beside it, part of its digest, and never ignored in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import DeploymentKey, fit_correction
from breakeven.serving.measured_facts import write_facts

KEY = DeploymentKey("gpt-oss-120b", "H100-SXM-80", 1, "fp4", "vllm")
SOURCE = Source("bench of our endpoint", "results.json", date(2026, 11, 20), Grade.MEASURED)


def measured(path: Path, faster: float = 1.2, key: DeploymentKey = KEY) -> Path:
    predicted = [100.0, 300.0, 900.0]
    own = fit_correction(
        [1.0, 4.0, 16.0],
        [faster * each for each in predicted],
        predicted,
        key=key,
        measured_on=SOURCE.read,
        source_title=SOURCE.title,
    )
    write_facts(path, [own], SOURCE)
    return path


def scenario(folder: Path, *names: str) -> Scenario:
    path = folder / "ours.yaml"
    path.write_text("seed: 0\nmeasured:\n" + "".join(f"- {name}\n" for name in names), encoding="utf-8")
    return load_scenario(path)


def test_files_lie_beside_the_scenario_and_reach_the_options(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    measured(tmp_path / "bench" / "h100.yaml")
    found = scenario(tmp_path, "bench/h100.yaml")
    (own,) = found.choices().measured
    assert (own.key, own.points_count, own.source_title) == (KEY, 3, SOURCE.title)
    assert found.model_copy(update={"draws_log2": 8}).choices().measured == (own,)


def test_the_digest_is_that_of_what_was_measured(tmp_path: Path) -> None:
    measured(tmp_path / "a.yaml")
    measured(tmp_path / "same.yaml")
    measured(tmp_path / "other.yaml", faster=1.3)
    a, same, other = (scenario(tmp_path, f"{name}.yaml").digest() for name in ("a", "same", "other"))
    assert a == same
    assert len({a, other, Scenario().digest()}) == 3
    assert Scenario().digest() == Scenario(measured=()).digest()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("absent.yaml",), r"ours\.yaml, line 3: measured: .*absent\.yaml: No such file"),
        (("ok.yaml", "ours.yaml"), r"ours\.yaml, line 4: measured: .*no measured facts"),
        (("ok.yaml", "again.yaml"), r"ours\.yaml, line 4: measured: again\.yaml and ok\.yaml are of one deployment"),
    ],
)
def test_what_cannot_be_used_is_refused_by_line(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    measured(tmp_path / "ok.yaml")
    measured(tmp_path / "again.yaml", faster=1.3)
    with pytest.raises(ScenarioError, match=message):
        scenario(tmp_path, *names)


def test_without_a_scenario_file_the_names_count_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(tmp_path / "h100.yaml")
    monkeypatch.chdir(tmp_path)
    assert len(Scenario(measured=("h100.yaml",)).choices().measured) == 1
