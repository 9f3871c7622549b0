"""`breakeven learn` and `breakeven evaluate`: pages, JSON, the policy written, the chart, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import altair
import numpy as np
import pytest
from click.testing import CliRunner, Result

from breakeven.cli.main import group
from breakeven.errors import LearningError, OutcomeError, OutputError, PolicyError
from breakeven.reports.routing_chart import curve_spec
from breakeven.reports.routing_document import LearnDocument
from breakeven.routing.policy_file import load
from breakeven.routing.task_naming import load_task_naming

KEYS = ("apgr", "cpt50", "cpt80", "aiq", "savings_at_95", "savings_at_98", "savings_at_100")


def write(path: Path, rows: int, seed: int, *, lot: bool = False) -> Path:
    """Two tasks; the small model is as good at faq. With `lot` one model is tried for each request, by a coin."""
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(rows):
        task = "faq" if rng.random() < 0.7 else "contract"
        drawn = rng.integers(2)
        for at, (model, cost) in enumerate((("acme/small", 0.0002), ("acme/large", 0.006))):
            chance = 0.95 if task == "faq" else (0.4, 0.93)[at]
            success = int(rng.random() < chance)
            if not lot or at == drawn:
                lines.append(f"{i},{task},,{model},{success},{cost}{',0.5' if lot else ''}")
    head = "request_id,task,prompt,model,success,cost_usd" + (",propensity" if lot else "")
    path.write_text(head + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(folder: Path, *words: str, width: int = 100) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", str(width))
        return CliRunner().invoke(group, list(words), catch_exceptions=False)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with outcomes, a policy learnt from them, its page and its document."""
    folder = tmp_path_factory.mktemp("learnt")
    write(folder / "outcomes.csv", 1_200, 1)
    write(folder / "later.csv", 800, 2)
    words = ("learn", "--outcomes", "outcomes.csv", "--out", "policy", "--incumbent", "acme/large", "--explain")
    page = run(folder, *words)
    assert page.exit_code == 0
    (folder / "page.txt").write_text(page.output, encoding="utf-8")
    (folder / "learnt.json").write_text(run(folder, *words, "--json").output, encoding="utf-8")
    return folder


def words_of(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def test_the_page_says_the_verdict_first_and_what_was_proven(learnt: Path) -> None:
    page = words_of(learnt / "page.txt")
    assert page.startswith("Route with rates of groups:")
    assert "Floor: at least 95 % of the success of acme/large, with 95 % confidence" in page
    assert "What ran before: against acme/large: saves" in page
    assert "Not charged, because nobody stated it: lost prompt-cache hits, judge, shadow calls, router" in page
    assert "A scorer of prompts: no prompt was kept" in page
    assert page.endswith("Next: breakeven evaluate --policy policy --outcomes OTHER-REQUESTS.csv")


def test_the_policy_that_was_written_decides_so(learnt: Path) -> None:
    policy = load(learnt / "policy")
    document = LearnDocument.model_validate_json((learnt / "learnt.json").read_text(encoding="utf-8"))
    assert policy.kind == document.policy.kind == "task_map"
    assert policy.hash == document.policy.hash
    assert policy.route(task="faq").model == "acme/small"
    assert policy.route(task="contract").model == "acme/large"


def test_the_chart_is_a_spec_that_altair_accepts(learnt: Path) -> None:
    document = LearnDocument.model_validate_json((learnt / "learnt.json").read_text(encoding="utf-8"))
    altair.Chart.from_dict(curve_spec(document), validate=True)
    assert (learnt / "policy" / "curve.svg").read_text(encoding="utf-8").startswith("<svg")


def evaluated(learnt: Path, *words: str) -> dict[str, Any]:
    result = run(learnt, "evaluate", "--policy", "policy", "--outcomes", *words, "--json")
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_evaluate_gives_the_figures_of_counting(learnt: Path) -> None:
    found = evaluated(learnt, "later.csv")
    success = paid = count = 0.0
    for line in (learnt / "later.csv").read_text(encoding="utf-8").splitlines()[1:]:
        _, task, _, model, good, usd = line.split(",")
        if model == ("acme/small" if task == "faq" else "acme/large"):
            success, paid, count = success + int(good), paid + float(usd), count + 1
    assert found["success"]["value"] == pytest.approx(success / count)
    assert found["usd_per_request"]["value"] == pytest.approx(paid / count)
    assert found["requests"] == 800
    for key in KEYS:
        assert set(found[key]) >= {"value", "low", "high"}
        assert found[key]["low"] <= found[key]["value"] <= found[key]["high"]
    assert found["verdict"]["answer"] == "route"
    assert found["drift"]["alarm"] is False
    assert found["warnings"] == []


def test_evaluate_on_the_file_learnt_from_says_so(learnt: Path) -> None:
    assert "learnt from this very file" in evaluated(learnt, "outcomes.csv")["warnings"][0]
    page = run(learnt, "evaluate", "--policy", "policy", "--outcomes", "outcomes.csv").output
    assert "learnt from this very file" in " ".join(page.split())


def test_a_log_routed_by_lot_is_judged_off_policy(learnt: Path) -> None:
    write(learnt / "log.csv", 3_000, 3, lot=True)
    found = evaluated(learnt, "log.csv")
    truth = 0.7 * 0.95 + 0.3 * 0.93
    estimate = found["off_policy"]["success_dr"]
    assert estimate["low"] <= truth <= estimate["high"]
    assert found["off_policy"]["cost_usd_ips"]["value"] == pytest.approx(0.7 * 0.0002 + 0.3 * 0.006, rel=0.15)
    page = run(learnt, "evaluate", "--policy", "policy", "--outcomes", "log.csv").output
    assert "On this log, routed by lot, the policy would have succeeded in" in " ".join(page.split())


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(learnt: Path, width: int) -> None:
    for words in (
        ("learn", "--outcomes", "outcomes.csv", "--explain"),
        ("evaluate", "--policy", "policy", "--outcomes", "later.csv"),
    ):
        page = run(learnt, *words, width=width)
        assert page.exit_code == 0
        assert max(len(line) for line in page.output.splitlines()) <= width


def test_names_with_escapes_reach_no_terminal(tmp_path: Path) -> None:
    text = write(tmp_path / "plain.csv", 60, 4).read_text(encoding="utf-8")
    (tmp_path / "bad.csv").write_text(text.replace("acme/small", "evil\x1b[31m/small"), encoding="utf-8")
    page = run(tmp_path, "learn", "--outcomes", "bad.csv", "--explain")
    assert page.exit_code == 0
    assert "\x1b" not in page.output


def test_rows_that_are_no_outcomes_are_written_aside(tmp_path: Path) -> None:
    path = write(tmp_path / "some.csv", 200, 5)
    with path.open("a", encoding="utf-8") as file:
        file.write("x,faq,,acme/small,seven,0.1\n")
    page = run(tmp_path, "learn", "--outcomes", "some.csv")
    assert "1 rows are no outcomes and are left out; the first: some.csv, row 402" in " ".join(page.output.split())
    assert (tmp_path / "some.csv.rejects.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("--quality-floor", "1.7"), LearningError, "wanted a part of the reference's success"),
        (("--confidence", "0.2"), LearningError, "wanted a fraction from 0.5"),
        (("--reference", "acme/huge"), LearningError, "acme/huge is not among the models"),
        (("--price", "acme/small"), LearningError, "saw no price"),
        (("--capacity", "acme/small=0.1", "--capacity", "acme/large=0.1"), LearningError, "capacities hold 20 %"),
        (("--max-latency-s", "1"), LearningError, "add a column `latency_s`"),
        (("--only", "faq=acme/huge"), LearningError, "acme/huge, which is no model of these outcomes"),
    ],
)
def test_what_cannot_be_asked_is_named(learnt: Path, words: tuple[str, ...], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        run(learnt, "learn", "--outcomes", "outcomes.csv", *words)


@pytest.mark.parametrize("option", ["--failure-usd", "--capacity", "--only"])
def test_an_option_of_the_wrong_form_is_a_usage_error(learnt: Path, option: str) -> None:
    result = run(learnt, "learn", "--outcomes", "outcomes.csv", option, "=")
    assert result.exit_code == 2
    assert "wanted" in result.output


def test_one_model_and_no_policy_are_named(tmp_path: Path) -> None:
    text = write(tmp_path / "two.csv", 60, 6).read_text(encoding="utf-8")
    one = [line for line in text.splitlines() if "acme/large" not in line]
    (tmp_path / "one.csv").write_text("\n".join(one) + "\n", encoding="utf-8")
    with pytest.raises(LearningError, match="routing chooses between two or more"):
        run(tmp_path, "learn", "--outcomes", "one.csv")
    with pytest.raises(PolicyError, match="cannot be read"):
        run(tmp_path, "evaluate", "--policy", "nowhere", "--outcomes", "two.csv")
    with pytest.raises(OutcomeError):
        run(tmp_path, "learn", "--outcomes", "absent.csv")


def test_a_policy_for_other_models_is_refused(learnt: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "two.csv", 60, 6).read_text(encoding="utf-8").replace("acme/small", "other/small")
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LearningError, match="may choose acme/small, and these outcomes do not know it"):
        run(tmp_path, "evaluate", "--policy", str(learnt / "policy"), "--outcomes", "other.csv")


def test_capacity_budget_and_costs_of_failures_are_taken(learnt: Path) -> None:
    options = ("--capacity", "acme/small=0.4", "--failure-usd", "contract=0.5", "--failure-usd", "0.01")
    result = run(learnt, "learn", "--outcomes", "outcomes.csv", *options, "--json")
    found = LearnDocument.model_validate_json(result.output)
    assert found.drafts[0].kind == "allocation"
    assert found.drafts[0].failures_usd_per_request > 0


def test_one_text_for_all_and_control_characters_reach_no_crash(tmp_path: Path) -> None:
    rows = [
        f'{i},t,"the same",{model},{int(i % 3 > 0 or model == "b")},{usd},yes'
        for i in range(400)
        for model, usd in (("a\x1b\x01", 0.001), ("b", 0.01))
    ]
    (tmp_path / "same.csv").write_text(
        "request_id,task,prompt,model,success,cost_usd,response\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    assert run(tmp_path, "learn", "--outcomes", "same.csv", "--out", "p", "--explain").exit_code == 0
    assert (tmp_path / "p" / "curve.svg").exists()


def test_requests_without_a_cost_are_left_out_one_by_one(tmp_path: Path) -> None:
    lines = write(tmp_path / "all.csv", 300, 7).read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].rpartition(",")[0] + ","
    (tmp_path / "some.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = run(tmp_path, "learn", "--outcomes", "some.csv")
    assert "1 requests are left out: the cost of some call is not known" in " ".join(page.output.split())


def test_a_task_that_no_request_has_is_named(learnt: Path) -> None:
    for words in (("--only", "fag=acme/large"), ("--failure-usd", "fag=1")):
        with pytest.raises(LearningError, match="no request has the task fag; the tasks are contract, faq"):
            run(learnt, "learn", "--outcomes", "outcomes.csv", *words)


@pytest.mark.parametrize("words", [("--router-usd", "nan"), ("--judge-usd", "inf")])
def test_no_number_is_a_usage_error(learnt: Path, words: tuple[str, ...]) -> None:
    for verb in (("learn",), ("evaluate", "--policy", "policy")):
        assert run(learnt, *verb, "--outcomes", "later.csv", *words).exit_code == 2


def test_stated_charges_stand_in_the_table(learnt: Path) -> None:
    page = run(learnt, "evaluate", "--policy", "policy", "--outcomes", "later.csv", "--router-usd", "0.005").output
    assert "this policy, with its charges" in " ".join(page.split())


def test_a_classifier_of_tasks_is_written_for_the_gateway(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    words = {"faq": ("parcel", "refund", "late"), "code": ("python", "loop", "stack")}
    lines = ["request_id,task,prompt,model,success,cost_usd"]
    for i in range(240):
        task = ("faq", "code")[i % 2]
        prompt = " ".join(rng.choice(words[task], 3))
        outcome = int(rng.random() < 0.9)
        lines += [f"{i},{task},{prompt} {i},{model},{outcome},{cost}" for model, cost in (("a", 1), ("b", 2))]
    (tmp_path / "outcomes.csv").write_text("\n".join(lines) + "\n")
    got = run(tmp_path, "learn", "--outcomes", "outcomes.csv", "--tasks", "tasks.json", "--json")
    assert got.exit_code == 0
    assert "tasks.json: 2 tasks from 240 prompts" in got.stderr
    assert json.loads(got.stdout)
    assert load_task_naming(tmp_path / "tasks.json").name("parcel late refund") == "faq"


@pytest.mark.parametrize(
    "twice",
    [
        ("--floor", "faq=0.9", "faq=0.8"),
        ("--price", "acme/small=0.1", "acme/small=0.2/0.3"),
        ("--failure-usd", "1", "2"),
        ("--capacity", "acme/large=0.5", "acme/large=0.4"),
        ("--only", "faq=acme/small", "faq=acme/large"),
    ],
)
def test_what_is_said_twice_and_not_alike_is_refused(tmp_path: Path, twice: tuple[str, str, str]) -> None:
    write(tmp_path / "outcomes.csv", 40, 3)
    option, one, other = twice
    found = run(tmp_path, "learn", "--outcomes", "outcomes.csv", option, one, option, other)
    assert found.exit_code == 2
    assert "is said twice, and not alike" in found.output


def test_any_seed_will_do(tmp_path: Path) -> None:
    words = ["where is my parcel", "prove that it is prime", "what does it cost", "write a poem on tea"]
    rng = np.random.default_rng(1)
    rows = [
        {
            "request_id": f"{at}",
            "prompt": f"{rng.choice(words)} {at}",
            "model": model,
            "success": int(rng.random() < 0.7),
        }
        | {"cost_usd": cost}
        for at in range(1000)
        for model, cost in (("small", 0.1), ("big", 1.0))
    ]
    (tmp_path / "o.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run(tmp_path, "learn", "--outcomes", "o.jsonl", "--seed", f"{10**20}").exit_code == 0


def test_a_page_says_whom_its_figures_are_about_where_models_are_barred(tmp_path: Path) -> None:
    write(tmp_path / "outcomes.csv", 1_200, 1)
    only = ("--only", "contract=acme/large", "--out", "policy")
    page = " ".join(run(tmp_path, "learn", "--outcomes", "outcomes.csv", *only).output.split())
    assert "one model for everything, acme/small, and the best that may where it may not answer (" in page
    assert "requests may not go to every model" in page
    policy = load(tmp_path / "policy")
    assert (policy.route("", task="contract").model, policy.route("", task="faq").model) == ("acme/large", "acme/small")
    judged = " ".join(run(tmp_path, "evaluate", "--policy", "policy", "--outcomes", "outcomes.csv").output.split())
    assert "requests may not go to every model" in judged


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_learnt(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="file is no folder that may be written to"):
        run(tmp_path, "learn", "--outcomes", "nothing-is-read.csv", "--out", "file/policy")
