"""`breakeven outcomes`: the page, the JSON, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from breakeven.cli.main import group
from breakeven.errors import BreakevenError
from breakeven.reports.outcomes_document import OutcomesDocument

MODELS = ("vendor/a-small-model-with-a-long-name-7b", "vendor/a-large-model-with-a-long-name-70b")


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    """Two models and three tasks, one of them rare; a row that is none."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(300):
        task = "rare" if i < 6 else ("faq", "law")[i % 2]
        for model, success, cost in zip(MODELS, (0.7, 0.95), (0.0002, 0.006), strict=True):
            rows.append(
                f"{i},{task},prompt {i},{model},{int(rng.random() < success)},{cost * rng.uniform(0.5, 1.5):.6f}"
            )
    rows.append("x,faq,prompt,gone,7,0.1")
    path = tmp_path / "outcomes.csv"
    path.write_text("request_id,task,prompt,model,success,cost_usd\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def _run(folder: Path, *words: str, width: int = 100) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", str(width))
        return CliRunner().invoke(group, ["outcomes", *words], catch_exceptions=False)


def test_page(outcomes: Path) -> None:
    found = _run(outcomes.parent, str(outcomes))
    assert found.exit_code == 0
    first = " ".join(found.output.split())
    assert first.startswith(f"{MODELS[1]} succeeds most often (")
    assert f"Success costs least with {MODELS[0]}" in first
    assert "success according to the file, which does not say who judged" in first
    assert "By task" in found.output
    assert "~" in found.output.split("rare")[1]
    assert "1 of 601 rows were rejected (1 success is not a number from 0 to 1)" in first
    assert "outcomes.csv.rejects.jsonl" in found.output
    assert (outcomes.parent / "outcomes.csv.rejects.jsonl").exists()
    assert "Next: breakeven learn --outcomes" in first


@pytest.mark.parametrize("width", [60, 66, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(outcomes: Path, width: int) -> None:
    found = _run(outcomes.parent, str(outcomes), width=width)
    lines = found.output.splitlines()
    assert max(map(len, lines)) <= width
    table = [line for line in lines if "model" in line or "…" in line or "$" in line]
    assert not any("…" in line.partition("-7b")[2] + line.partition("-70b")[2] for line in table)


def test_json_is_the_document(outcomes: Path) -> None:
    found = _run(outcomes.parent, str(outcomes), "--json")
    document = OutcomesDocument.model_validate_json(found.output)
    assert (document.requests_count, document.rows_count, document.rejects.rows_count) == (300, 601, 1)
    rates = {(each.group, each.model): each for each in document.rates}
    assert len(rates) == 8
    whole = rates["", MODELS[0]]
    assert whole.tries_count == 300
    assert whole.success_fraction.low < 0.7 < whole.success_fraction.high
    assert whole.usd_per_request == pytest.approx(0.0002, rel=0.05)
    cost = whole.usd_per_success
    assert cost.value == pytest.approx(whole.usd_per_request * 300 / whole.successes_count)
    assert cost.low is not None
    assert cost.high is not None
    assert 0.8 * cost.value < cost.low < cost.value < cost.high < 1.2 * cost.value
    assert rates["rare", MODELS[0]].is_pooled
    assert not whole.is_pooled


def test_the_same_question_has_the_same_answer(outcomes: Path) -> None:
    assert (
        _run(outcomes.parent, str(outcomes), "--json").output == _run(outcomes.parent, str(outcomes), "--json").output
    )


def _document(folder: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(folder, *words, "--json").output)
    return found


def test_validators_feedback_and_gold_together(tmp_path: Path) -> None:
    rows = [
        {
            "request_id": str(i),
            "task": "label",
            "model": "a",
            "response": "bug" if i % 4 else "well, a bug",
            "source": "judge",
        }
        | {"success": int(i % 10 != 1)}
        for i in range(200)
    ]
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    (tmp_path / "v.yaml").write_text("tasks: {label: {labels: [bug]}}", encoding="utf-8")
    (tmp_path / "g.csv").write_text(
        "id,label\n" + "".join(f"{i},{int(i % 4 > 1)}\n" for i in range(60)), encoding="utf-8"
    )
    words = ["o.jsonl", "--validators", "v.yaml", "--gold", "g.csv", "--out", "judged.csv"]
    document = _document(tmp_path, *words)
    assert document["checks"]["failed_count"] == 50
    assert document["source"] == "validator+judge+gold"
    assert document["corrected"][0]["gold_count"] == 60
    assert document["corrected"][0]["success_fraction"]["value"] == pytest.approx(0.5, abs=0.05)
    assert document["verdict"].startswith("a succeeds in 5")  # as gold has it, not the judge's 70 %
    again = _document(tmp_path, "judged.csv")
    assert again["rates"][0]["successes_count"] == document["rates"][0]["successes_count"]
    page = _run(tmp_path, *words).output
    assert "With the judge's errors taken out" in page
    assert "answers fail their checks" in page
    assert "Wrote outcomes: judged.csv" in page


def test_canaries_and_repeated_tries_on_the_page(tmp_path: Path) -> None:
    rows = [f"{i},{m},{k},{(i * 7 + k * i) % 3 > 0:d},judge" for i in range(40) for m in "ab" for k in range(3)]
    rows += [f"{i},canary:empty,0,{i % 2},judge" for i in range(20)]
    text = "request_id,model,attempt,success,source\n" + "\n".join(rows) + "\n"
    (tmp_path / "o.csv").write_text(text, encoding="utf-8")
    page = " ".join(_run(tmp_path, "o.csv").output.split())
    assert "- empty: 50.0 % of 20 passed" in page
    assert "a: correlation 0." in page
    assert "The judge passes answers that cannot be right: 50 % of 20 canaries (empty)" in page
    assert "success according to a judge model" in page


def test_many_tasks_are_cut_unless_all_are_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"{i},task {i % 90},{m},{i % 3 > 0:d}\n" for i in range(180) for m in "ab")
    (tmp_path / "o.csv").write_text("id,task,model,success\n" + rows, encoding="utf-8")
    assert "... and 60 more; --all shows them" in _run(tmp_path, "o.csv").output
    assert "task 89" in _run(tmp_path, "o.csv", "--all").output


def test_a_hostile_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    rows = "".join(f"{i},\x1b[31mred\u202e,{i % 2}\n{i},[bold]b,1\n" for i in range(30))
    (tmp_path / "o.csv").write_text("id,model,success\n" + rows, encoding="utf-8")
    page = _run(tmp_path, "o.csv").output
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "[bold]b" in page


def test_canaries_are_written(outcomes: Path) -> None:
    found = _run(outcomes.parent, str(outcomes), "--canaries", "c.jsonl")
    assert "Wrote canaries for your judge: c.jsonl" in found.output
    assert len((outcomes.parent / "c.jsonl").read_text(encoding="utf-8").splitlines()) == 150


def test_prices_given_and_listed(tmp_path: Path) -> None:
    rows = "".join(f"{i},some words of a prompt,{m},1\n" for i in range(30) for m in ("mine", "gpt-4o-mini"))
    (tmp_path / "o.csv").write_text("id,prompt,model,success\n" + rows, encoding="utf-8")
    document = _document(tmp_path, "o.csv", "--price", "mine=0.5", "--as-of", "2026-11-20")
    costs = {each["model"]: each["usd_per_request"] for each in document["rates"]}
    assert costs["mine"] == 0.5
    assert 0 < costs["gpt-4o-mini"] < 0.01
    assert {each["model"]: each["is_estimate"] for each in document["prices"]} == {"mine": False, "gpt-4o-mini": True}


def test_an_unpriced_model_says_so_and_is_never_free(tmp_path: Path) -> None:
    rows = "".join(f"{i},{m},1\n" for i in range(30) for m in ("model-that-nobody-lists", "another-such-model"))
    (tmp_path / "o.csv").write_text("id,model,success\n" + rows, encoding="utf-8")
    document = _document(tmp_path, "o.csv")
    assert all(each["usd_per_request"] is None for each in document["rates"])
    assert all(
        each["usd_per_success"] == {"value": None, "low": None, "high": None, "why": "unpriced"}
        for each in document["rates"]
    )
    assert any(each.startswith("Unpriced") for each in document["warnings"])


def test_outcomes_of_imported_calls(tmp_path: Path) -> None:
    calls = [
        {"record_id": f"r{i}", "start_time": f"2026-11-02T10:{i % 60:02}:{i // 60:02}Z", "provider": "openai"}
        | {"request_model": ("gpt-4o-mini", "gpt-4o")[i % 2], "input_tokens": 100, "output_tokens": 50, "task": "faq"}
        | {"outcome": float(i % 5 != 0)}
        for i in range(120)
    ]
    (tmp_path / "calls.jsonl").write_text("".join(json.dumps(each) + "\n" for each in calls), encoding="utf-8")
    imported = CliRunner().invoke(group, ["import", str(tmp_path / "calls.jsonl"), "--store", str(tmp_path / "store")])
    assert imported.exit_code == 0, imported.output
    document = _document(tmp_path, "--store", "store")
    assert document["requests_count"] == 120
    assert sum(each["successes_count"] for each in document["rates"]) == 96
    assert any("not chosen by lot" in each for each in document["notes"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name files of outcomes, or --store"),
        (["o.csv", "--store", "s"], "name files of outcomes, or --store"),
        (["o.csv", "--retry-minutes", "5"], "needs --store"),
        (["o.csv", "--judge-errors", "1,2"], "wanted four counts"),
        (["o.csv", "--out", "./o.csv"], "--out would write over o.csv"),
        (["o.csv", "--gold", "g.csv", "--rejects", "g.csv"], "--rejects would write over g.csv"),
        (["o.csv", "--out", "x.csv", "--canaries", "x.csv"], "--out and --canaries both write x.csv"),
    ],
)
def test_words_that_make_no_sense(tmp_path: Path, words: list[str], message: str) -> None:
    found = _run(tmp_path, *words)
    assert found.exit_code == 2
    assert message in found.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.csv"], "no such file"),
        (["--store", "none"], "no such store"),
        (["{file}", "--validators", "none.yaml"], "cannot be read"),
        (["{file}", "--gold", "none.csv"], "no such file"),
        (["{file}", "--by", "endpoint"], "no column 'endpoint'"),
        (["{file}", "--agreement-with", "x"], "needs the answers of two models"),
        (["{file}", "--out", "o.xlsx"], "ends in .jsonl or .csv"),
        (["{file}", "--price", "other=1"], "which no outcome names"),
    ],
)
def test_what_cannot_be_done_is_said(outcomes: Path, words: list[str], message: str) -> None:
    with pytest.raises(BreakevenError, match=message):
        _run(outcomes.parent, *(each.replace("{file}", str(outcomes)) for each in words))


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(group, ["outcomes", "--help"])
    assert "Example: breakeven outcomes" in " ".join(found.output.split())


def test_a_name_is_no_markup(tmp_path: Path) -> None:
    text = "request_id,task,model,success\nr1,faq,[red]m[/red],1\nr2,faq,m,0\nr3,faq,[/x]n,0\n"
    (tmp_path / "o.csv").write_text(text, encoding="utf-8")
    table = _run(tmp_path, "o.csv").output.partition("By model")[2]
    assert [line.split()[0] for line in table.splitlines()[3:6]] == ["[red]m[/red]", "m", "[/x]n"]


def test_answers_judged_here_are_not_called_unjudged(tmp_path: Path) -> None:
    rows = [{"request_id": str(i), "task": "t", "model": "a", "response": "bug" if i else None} for i in range(9)]
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    (tmp_path / "v.yaml").write_text("tasks: {t: {labels: [bug]}}", encoding="utf-8")
    notes = _document(tmp_path, "o.jsonl", "--validators", "v.yaml")["notes"]
    assert [each for each in notes if "not judged yet" in each] == [
        "1 of 9 answers is not judged yet; validators, feedback or gold labels can (breakeven outcomes --help)."
    ]


def test_the_table_has_the_corrected_rate(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'xy'[i % 2]},{m},{int(i % 10 > 1)},judge,0.5\n" for i in range(200) for m in "ab")
    (tmp_path / "o.csv").write_text("id,task,model,success,source,cost_usd\n" + rows, encoding="utf-8")
    gold = "".join(f"{i},a,{int(i % 2)}\n" for i in range(60))
    (tmp_path / "g.csv").write_text("id,model,label\n" + gold, encoding="utf-8")
    document = _document(tmp_path, "o.csv", "--gold", "g.csv")
    rates = {(each["group"], each["model"]): each for each in document["rates"]}
    assert {key for key, each in rates.items() if each["is_corrected"]} == {("", "a")}
    assert rates["", "a"]["success_fraction"] == document["corrected"][0]["success_fraction"]
    assert rates["", "a"]["usd_per_success"] == document["corrected"][0]["usd_per_success"]
    page = " ".join(_run(tmp_path, "o.csv", "--gold", "g.csv").output.split())
    assert f" *{100 * rates['', 'a']['success_fraction']['value']:.1f} % " in page
    assert "Of rates marked * the judge's errors are taken out; by task they are not." in page


def test_answers_of_the_sample_of_errors_are_not_counted(tmp_path: Path) -> None:
    rows = "".join(f"{i},a,{int(i % 10 > 1)},judge\n" for i in range(1000))
    (tmp_path / "o.csv").write_text("id,model,success,source\n" + rows, encoding="utf-8")
    page = " ".join(_run(tmp_path, "o.csv", "--judge-errors", "95,5,80,20").output.split())
    assert "the judge says 80.0 % of 1,000, and its errors are known from 200 other answers" in page


def test_rejected_cells_are_not_called_rows(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("id,score__a,score__b\n1,x,7\n2,1,-3\n", encoding="utf-8")
    (tmp_path / "f.csv").write_text("id,model,label\n1,a,often\n2,a,1\n", encoding="utf-8")
    words = ["w.csv", "--feedback", "f.csv"]
    assert "2 of 2 rows hold 3 cells that were rejected" in " ".join(_run(tmp_path, *words).output.split())
    rejects = _document(tmp_path, *words)["rejects"]
    assert (rejects["rows_count"], rejects["cells_count"], rejects["labels_count"]) == (2, 3, 1)


def test_equal_costs_are_not_told_apart(tmp_path: Path) -> None:
    rows = "".join(f"{i},{m},{int(i % 2)},{cost}\n" for i in range(40) for m, cost in (("a", 1), ("b", 1), ("c", 90)))
    (tmp_path / "o.csv").write_text("id,model,success,cost_usd\n" + rows, encoding="utf-8")
    verdict = _document(tmp_path, "o.csv")["verdict"]
    assert "Success costs least with a" in verdict
    assert "not beyond doubt (b may cost as little)" in verdict


def test_a_price_that_the_file_knows_better_is_said_to_be_unused(tmp_path: Path) -> None:
    rows = "".join(f"{i},{m},1,{cost}\n" for i in range(9) for m, cost in (("a", 1), ("b", "")))
    (tmp_path / "o.csv").write_text("id,model,success,cost_usd\n" + rows, encoding="utf-8")
    notes = _document(tmp_path, "o.csv", "--price", "a=2", "--price", "b=2")["notes"]
    assert [each for each in notes if "price" in each] == [
        "The price given for a is not used: the file says what its calls cost."
    ]


def test_labels_that_contradict_each_other_are_counted(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("id,model,success\n1,a,1\n2,a,0\n3,a,0\n", encoding="utf-8")
    (tmp_path / "g.csv").write_text("id,label\n1,1\n1,0\n2,1\n2,1\n3,1\n3,0\n", encoding="utf-8")
    notes = " ".join(_document(tmp_path, "o.csv", "--gold", "g.csv")["notes"])
    assert "g.csv: 3 rows repeat labels" in notes
    assert "g.csv: 2 rows contradict earlier labels" in notes


def test_gold_and_known_errors_of_the_judge_are_not_both_taken(outcomes: Path) -> None:
    (outcomes.parent / "g.csv").write_text("id,model,label\n1,x,1\n", encoding="utf-8")
    found = _run(outcomes.parent, str(outcomes), "--gold", "g.csv", "--judge-errors", "95,5,80,20")
    assert found.exit_code == 2
    assert "give one of them" in " ".join(found.output.split())


def test_rejects_are_written_over_rejects_and_nothing_else(outcomes: Path) -> None:
    for name, text in (("plan.txt", "precious\n"), ("other.jsonl", '{"request_id": "1"}\n')):
        (outcomes.parent / name).write_text(text, encoding="utf-8")
        assert _run(outcomes.parent, str(outcomes), "--rejects", name, "--out", "out.jsonl").exit_code == 2
        assert (outcomes.parent / name).read_text(encoding="utf-8") == text
        assert not (outcomes.parent / "out.jsonl").exists()
    (outcomes.parent / "outcomes.csv.rejects.jsonl").write_text("precious\n", encoding="utf-8")
    assert _run(outcomes.parent, str(outcomes)).exit_code == 2
    for _ in range(2):
        assert _run(outcomes.parent, str(outcomes), "--rejects", "rejects.jsonl").exit_code == 0
