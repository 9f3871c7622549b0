"""Offline: files of outcomes are paired by request, whatever cannot be paired or used is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.errors import PilotError
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.design_file import DesignFile, design_hash
from breakeven.pilot.reading.evidence import EvidenceReader
from breakeven.pilot.reading.read import Read

NOW_S = 1.8e9


def read(folder: Path, *files: Path, tasks: tuple[str, ...] = ("",), **more: Any) -> Read:
    plans = tuple(TaskPlan(each, "big", "small") for each in tasks)
    plain = {"name": "off", "mode": "offline", "tasks": plans, "created": "2026-11-02T08:00:00+00:00"}
    design = Design(**{**plain, "sources": tuple(map(str, files)), **more})
    return EvidenceReader(folder, design).read(DesignFile(design, design_hash(design)), (), NOW_S)


def write(path: Path, *rows: str, head: str = "request_id,task,model,success,cost_usd,source") -> Path:
    path.write_text("\n".join((head, *rows)) + "\n")
    return path


def test_two_files_are_paired_by_request(tmp_path: Path) -> None:
    big = write(tmp_path / "big.csv", "r1,faq,big,1,0.01,gold", "r2,faq,big,0.5,0.02,log", "r3,faq,big,1,0.01,gold")
    small = write(
        tmp_path / "small.csv", "r2,faq,small,1,0.001,gold", "r1,faq,small,0,0.002,", "r9,faq,small,1,0.1,gold"
    )
    got = read(tmp_path, big, small)
    seen = got.evidence.observations
    assert seen.request_ids == ("r1", "r1", "r2", "r2", "r3", "r9")
    assert seen.arm.tolist() == [0, 1, 0, 1, 0, 1]
    assert seen.success.tolist() == [1.0, 0.0, 0.5, 1.0, 1.0, 1.0]
    assert seen.cost_usd.tolist() == [0.01, 0.002, 0.02, 0.001, 0.01, 0.1]
    assert seen.unit[0] == seen.unit[1] != seen.unit[2]
    (problem,) = got.evidence.problems
    assert (problem.code, problem.rows_count) == ("rows_missing", 2)
    assert "1 request has no row of the baseline and 1 request has no row of the candidate" in problem.message
    assert len(got.evidence.source_digests) == 1


def test_one_file_with_both_models_gives_the_same(tmp_path: Path) -> None:
    rows = ["r1,faq,big,1,0.01,gold", "r1,faq,small,0,0.002,gold", "r2,faq,big,1,0.01,gold", "r2,faq,small,1,0.02,gold"]
    both = read(tmp_path, write(tmp_path / "both.csv", *rows)).evidence
    halves = [write(tmp_path / f"{name}.csv", *(each for each in rows if name in each)) for name in ("big", "small")]
    two = read(tmp_path, *halves).evidence
    for name in ("success", "cost_usd", "arm"):
        assert np.array_equal(getattr(both.observations, name), getattr(two.observations, name))
    wide = write(tmp_path / "wide.csv", "r1,faq,1,0", "r2,faq,1,1", head="id,task,score__big,score__small")
    assert read(tmp_path, wide).evidence.observations.success.tolist() == [1.0, 0.0, 1.0, 1.0]


def test_judges_are_kept_apart_from_people(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "r1,faq,big,1,,judge", "r1,faq,small,1,,judge")
    evidence = read(tmp_path, path).evidence
    assert np.isnan(evidence.observations.success).all()
    assert evidence.observations.judged.tolist() == [1.0, 1.0]
    assert [each.code for each in evidence.problems] == ["unpriced", "judge_only"]


def test_tasks_that_the_design_does_not_name_are_left_out(tmp_path: Path) -> None:
    rows = [
        f"r{i},{task},{model},1,0.01,gold" for i, task in enumerate(("faq", "mail", "x")) for model in ("big", "small")
    ]
    seen = read(tmp_path, write(tmp_path / "x.csv", *rows), tasks=("mail", "faq")).evidence.observations
    assert seen.request_ids == ("r0", "r0", "r1", "r1")
    assert seen.task.tolist() == [1, 1, 0, 0]


def test_bad_rows_are_named_with_file_and_row(tmp_path: Path) -> None:
    rows = [
        "r1,faq,big,1,0.01,gold",
        "r1,faq,small,1.7,0.01,gold",
        "r2,faq,big,1,0.01,gold",
        "r2,faq,small,1,0.01,gold",
    ]
    got = read(tmp_path, write(tmp_path / "x.csv", *rows))
    assert [each.code for each in got.evidence.problems] == ["success_out_of_range", "rows_missing"]
    assert "x.csv, row 3" in got.evidence.problems[0].message
    assert len(got.rejects) == 1


def test_answers_judged_twice_differently_are_named(tmp_path: Path) -> None:
    rows = ["r1,faq,big,1,0.01,gold", "r1,faq,big,0,0.01,gold", "r1,faq,small,1,0.01,gold"]
    got = read(tmp_path, write(tmp_path / "x.csv", *rows))
    assert [each.code for each in got.evidence.problems] == ["contradicting_feedback"]


def test_a_model_that_no_file_has_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PilotError, match="did you mean 'smal'"):
        read(tmp_path, write(tmp_path / "x.csv", "r1,faq,big,1,,gold", "r1,faq,smal,1,,gold"))
    with pytest.raises(PilotError, match="no such file"):
        read(tmp_path, tmp_path / "absent.csv")
    with pytest.raises(PilotError, match="--outcomes"):
        read(tmp_path)


def test_a_source_that_nobody_knows_is_a_judge(tmp_path: Path) -> None:
    rows = [f"r{i},faq,{model},1,0.01,llm-judge" for i in range(2) for model in ("big", "small")]
    evidence = read(tmp_path, write(tmp_path / "x.csv", *rows)).evidence
    assert np.isnan(evidence.observations.success).all()
    assert evidence.observations.judged.tolist() == [1.0] * 4
    assert [each.code for each in evidence.problems] == ["unknown_source", "judge_only"]
    assert "'llm-judge' in x.csv, row 2" in evidence.problems[0].message
    log = [each.replace("llm-judge", "log") for each in rows]
    assert not read(tmp_path, write(tmp_path / "x.csv", *log)).evidence.problems
