"""A scenario's file of outcomes: read once, told by its content, refused where it is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from breakeven.decision.outcomes_file import outcomes_warnings
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
from breakeven.options.assembly.measured_success import RateBelief
from breakeven.outcomes.judged import Sources, read_and_judge
from costing import demand, situation

LONG = "request_id,task,prompt,model,success\n"


def write(folder: Path, name: str = "outcomes.csv", rows: str = "1,faq,,gpt-5,1\n2,faq,,gpt-5,0\n") -> Path:
    path = folder / name
    path.write_text(LONG + rows)
    return path


def scenario_of(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return load_scenario(path)


def test_the_file_lies_beside_the_scenario(tmp_path: Path) -> None:
    write(tmp_path)
    found = scenario_of(tmp_path, "outcomes: outcomes.csv\n").choices().outcomes
    assert found is not None
    assert [(each.name, each.overall.tries_count) for each in found.models] == [("gpt-5", 2)]
    assert found.label.startswith("outcomes.csv, sha256 ")


def test_without_a_file_there_is_nothing_measured(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, "seed: 1\n")
    assert scenario.choices().outcomes is None
    assert scenario.digest() == load_scenario(None).model_copy(update={"seed": 1}).digest()


def test_the_command_line_names_another_file(tmp_path: Path) -> None:
    write(tmp_path)
    other = write(tmp_path, "other.csv", "1,faq,,mixtral,1\n")
    scenario = scenario_of(tmp_path, "outcomes: outcomes.csv\n").with_outcomes(other)
    found = scenario.choices().outcomes
    assert found is not None
    assert [each.name for each in found.models] == ["mixtral"]


def test_a_digest_hangs_on_what_the_file_says_and_not_on_its_name(tmp_path: Path) -> None:
    first, copy = write(tmp_path), write(tmp_path, "copy.csv")
    other = write(tmp_path, "other.csv", "1,faq,,gpt-5,1\n")
    none = Scenario()
    one, two, three = (none.with_outcomes(each).digest() for each in (first, copy, other))
    assert one == two
    assert len({one, three, none.digest()}) == 3


def test_aliases_say_what_a_name_means(tmp_path: Path) -> None:
    write(tmp_path, rows="1,faq,,chat-prod,1\n")
    found = scenario_of(tmp_path, "outcomes: outcomes.csv\nmodel_aliases: {chat-prod: azure/gpt-5}\n")
    measured = found.choices().outcomes
    assert measured is not None
    assert measured.aliases == (("chat-prod", "azure/gpt-5"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), ("what,is,this\n1,2,3\n", "outcomes"), (LONG + "1,faq,,gpt-5,perhaps\n", "success")],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "outcomes.csv").write_text(content)
    with pytest.raises(ScenarioError, match=r"scenario\.yaml, line 2: outcomes:|scenario\.yaml:2: outcomes:") as found:
        scenario_of(tmp_path, "seed: 1\noutcomes: outcomes.csv\n")
    assert said in str(found.value)


def test_what_of_a_file_is_not_used_is_said(tmp_path: Path) -> None:
    rows = "1,faq,,gpt-5,1\n1,faq,,gpt-5-mini,0\n1,faq,,gpt-oss-120b,1\n1,faq,,chat-prod,1\n2,faq,,gpt-5,perhaps\n"
    file = Scenario().with_outcomes(write(tmp_path, rows=rows)).outcomes_file()
    said = " ".join(outcomes_warnings(file, situation(demand(1))))
    assert "no outcomes were left out: 1" in said
    assert "chat-prod" in said
    assert "gpt-5-mini" not in said
    assert "gpt-oss" not in said
    assert outcomes_warnings(None, situation(demand(1))) == []


def _judged_file(
    folder: Path, gold_count: int, *, keeps_the_judge: bool = True, seed: int = 3
) -> tuple[Path, dict[str, float]]:
    """A lenient judge of two tasks, with gold labels of a random sample; and the true rate of each task."""
    rng = np.random.default_rng(seed)
    tasks = np.repeat(["faq", "law"], 1000)
    truth = rng.binomial(1, np.where(tasks == "faq", 0.8, 0.4))
    judge = np.where(truth == 1, 1, rng.binomial(1, 0.6, 2000))
    sample = rng.choice(2000, gold_count, replace=False)
    rows = [f"{i},{tasks[i]},,gpt-oss-120b,{truth[i]},gold" for i in sample]
    seen = range(2000) if keeps_the_judge else sorted(set(range(2000)) - set(sample.tolist()))
    rows += [f"{i},{tasks[i]},,gpt-oss-120b,{judge[i]},judge" for i in seen]
    path = folder / "judged.csv"
    path.write_text(LONG.replace("\n", ",source\n") + "\n".join(rows) + "\n")
    return path, {each: float(truth[tasks == each].mean()) for each in ("faq", "law")}


def test_gold_in_the_file_takes_the_judges_errors_out_of_the_rates(tmp_path: Path) -> None:
    path, truth = _judged_file(tmp_path, 200)
    file = Scenario().with_outcomes(path).outcomes_file()
    assert file is not None
    (model,) = file.success.models
    corrected = read_and_judge([path], Sources()).corrected["gpt-oss-120b"]
    assert corrected.judged_fraction > 0.8
    assert model.overall.mean_fraction == pytest.approx(corrected.success_fraction, abs=0.005)
    assert _holds(model.overall, (truth["faq"] + truth["law"]) / 2)
    mixed = [each.mean_fraction for _, each in model.tasks]
    assert sum(mixed) / 2 == pytest.approx(model.overall.mean_fraction, abs=0.002)
    assert not any("alone" in each for each in outcomes_warnings(file, situation(demand(1))))
    fact = file.success.fact(model, demand(1))
    assert "errors of whoever judged taken out by 200 careful labels" in fact.source.title


def test_intervals_of_tasks_hold_their_true_rates_about_as_often_as_they_say(tmp_path: Path) -> None:
    held = []
    for seed in range(20):
        path, truth = _judged_file(tmp_path, 100, seed=seed)
        file = Scenario().with_outcomes(path).outcomes_file()
        assert file is not None
        held += [_holds(belief, truth[task.strip()]) for task, belief in file.success.models[0].tasks]
    assert len(held) == 40
    assert sum(held) >= 32


def _holds(belief: RateBelief, truth: float) -> bool:
    low, high = beta(belief.alpha_count, belief.beta_count).ppf([0.05, 0.95])
    return bool(low <= truth <= high)


@pytest.mark.parametrize(("gold_count", "keeps_the_judge"), [(5, True), (200, False)])
def test_a_judge_that_nothing_corrects_is_warned_of(tmp_path: Path, gold_count: int, keeps_the_judge: bool) -> None:
    path, _ = _judged_file(tmp_path, gold_count, keeps_the_judge=keeps_the_judge)
    said = " ".join(outcomes_warnings(Scenario().with_outcomes(path).outcomes_file(), situation(demand(1))))
    assert f"judged by judge alone for {2000 - gold_count:,} of 2,000 answers" in said
    assert f"its {gold_count} careful labels are too few" in said


def test_success_after_a_failure_of_a_corrected_model_is_that_of_careful_labels(tmp_path: Path) -> None:
    rows = [f"{i},faq,,{m},{int(m == 'gpt-5')},gold" for i in range(12) for m in ("gpt-5", "gpt-5-mini")]
    rows += [f"{i},faq,,{m},1,judge" for i in range(40) for m in ("gpt-5", "gpt-5-mini")]
    path = tmp_path / "pairs.csv"
    path.write_text(LONG.replace("\n", ",source\n") + "\n".join(rows) + "\n")
    file = Scenario().with_outcomes(path).outcomes_file()
    assert file is not None
    belief = file.success.after_failure["gpt-5-mini", "gpt-5"]
    assert (belief.alpha_count, belief.beta_count, belief.tries_count) == (12.5, 0.5, 12)
    assert ("gpt-5", "gpt-5-mini") not in file.success.after_failure
