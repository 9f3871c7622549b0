"""A scenario's file of outcomes: read once, told by its content, refused where it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.decision.outcomes_file import outcomes_warnings
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
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
