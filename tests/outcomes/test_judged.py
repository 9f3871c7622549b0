"""Judged: labels, canaries and gold heard in turn; what is said about them; writing it all out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import OutcomeError
from breakeven.outcomes.canaries import CONSTANT, canary_rows, without_canaries
from breakeven.outcomes.cautions import cautions
from breakeven.outcomes.cell_marks import marked, unmarked
from breakeven.outcomes.judged import JudgeAlone, Judged, Sources, judge_alone, rate_of_rows, read_and_judge
from breakeven.outcomes.judging import Confusion
from breakeven.outcomes.labels import read_labels, with_labels
from breakeven.outcomes.outcome import SOURCES
from breakeven.outcomes.reading import read_outcomes
from breakeven.outcomes.success_rates import success_rates
from breakeven.outcomes.writing import write_canaries, write_outcomes, write_rejects


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _warnings(found: Judged) -> str:
    table = found.outcomes.table
    return " ".join(cautions(found, success_rates(table, found.outcomes.source_codes, "")))


def _judge_file(folder: Path, count: int = 400, *, with_gold: int = 0) -> tuple[Path, np.ndarray]:
    """A judge that passes half of the bad answers, of a model that succeeds in 60 %; gold labels of the first ones."""
    rng = np.random.default_rng(1)
    truth = rng.binomial(1, 0.6, count)
    judge = np.where(truth == 1, 1, rng.binomial(1, 0.5, count))
    rows = [f"{i},a,{judge[i]},judge" for i in range(count)]
    rows += [f"{i},a,{truth[i]},gold" for i in range(with_gold)]
    return _file(folder, "judge.csv", "request_id,model,success,source\n" + "\n".join(rows) + "\n"), truth


def test_a_judge_alone_is_warned_of_and_gold_takes_its_errors_out(tmp_path: Path) -> None:
    path, truth = _judge_file(tmp_path)
    alone = read_and_judge([path], Sources())
    assert not alone.corrected
    assert "A judge model alone says what succeeds" in _warnings(alone)
    labels = "request_id,model,success\n" + "".join(f"{i},a,{truth[i]}\n" for i in range(80))
    found = read_and_judge([path], Sources(gold=_file(tmp_path, "gold.csv", labels)))
    corrected = found.corrected["a"]
    assert corrected.judged_fraction > 0.75
    assert corrected.low_fraction <= truth.mean() <= corrected.high_fraction
    assert (corrected.gold_count, corrected.judged_count) == (80, 320)
    assert found.confusions["a"].false_accept_fraction == pytest.approx(0.5, abs=0.2)
    assert "The judge is too kind to a" in _warnings(found)
    assert "alone" not in _warnings(found)
    assert found.outcomes.table.source == "judge+gold"


def test_gold_in_the_same_file_corrects_too(tmp_path: Path) -> None:
    path, truth = _judge_file(tmp_path, with_gold=80)
    found = read_and_judge([path], Sources())
    corrected = found.corrected["a"]
    assert corrected.low_fraction <= truth.mean() <= corrected.high_fraction
    assert corrected.gold_count == 80


def test_few_gold_labels_correct_nothing_and_say_so(tmp_path: Path) -> None:
    path, _ = _judge_file(tmp_path, with_gold=5)
    found = read_and_judge([path], Sources())
    assert not found.corrected
    assert "a has 5 gold labels" in " ".join(found.notes)


def test_known_errors_of_the_judge_correct_it(tmp_path: Path) -> None:
    path, truth = _judge_file(tmp_path, 2000)
    found = read_and_judge([path], Sources(judge_errors=Confusion(200, 0, 100, 100))).corrected["a"]
    assert found.low_fraction <= truth.mean() <= found.high_fraction


def test_feedback_is_joined_where_it_is_clear_of_which_answer(tmp_path: Path) -> None:
    path = _file(tmp_path, "o.csv", "request_id,model,success\n1,a,\n2,a,\n2,b,\n3,a,1\n")
    read = read_outcomes(path)
    told = "request_id,model,success\n1,,yes\n2,,1\n2,b,0\n3,a,0\n9,a,1\n2,c,1\n1,a,maybe\n2,b,0.5\n"
    labels = read_labels(_file(tmp_path, "f.csv", told), read)
    np.testing.assert_array_equal(labels.success, [[1, np.nan], [np.nan, 0.5], [0, np.nan]])
    assert [each.row for each in labels.rejects] == [8]
    assert "1 row names a request that the outcomes do not have" in labels.notes[1]
    assert "2 rows do not say of which model's answer" in labels.notes[2]
    joined = with_labels(read, labels.success, "feedback")
    assert joined.table.source == "feedback"
    assert joined.table.success[2, 0] == 0


def test_feedback_does_not_overrule_gold(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", "request_id,model,success,source\n1,a,1,gold\n2,a,1,judge\n"))
    joined = with_labels(read, np.zeros((2, 1)), "feedback")
    assert joined.table.success.ravel().tolist() == [1, 0]
    assert [SOURCES[code] for code in joined.source_codes.ravel()] == ["gold", "feedback"]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "request_id,model\n1,a\n"])
def test_files_that_hold_no_labels_are_refused(tmp_path: Path, text: str) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", "request_id,model,success\n1,a,1\n"))
    with pytest.raises(OutcomeError, match="wanted request_id and success"):
        read_labels(_file(tmp_path, "f.csv", text), read)


def test_gold_of_other_requests_is_refused(tmp_path: Path) -> None:
    path, _ = _judge_file(tmp_path)
    with pytest.raises(OutcomeError, match="none of its labels"):
        read_and_judge([path], Sources(gold=_file(tmp_path, "g.csv", "request_id,model,success\nx,a,1\n")))


def test_canaries_go_to_the_judge_and_come_back(tmp_path: Path) -> None:
    rows = "".join(f"{i},prompt {i},a,1,judge\n" for i in range(60))
    path = _file(tmp_path, "o.csv", "request_id,prompt,model,success,source\n" + rows)
    planted = tmp_path / "canaries.jsonl"
    assert write_canaries(planted, canary_rows(read_outcomes(path).table, 20, seed=0)) == 60
    told = [json.loads(line) for line in planted.read_text(encoding="utf-8").splitlines()]
    assert {each["response"] for each in told if each["model"] == "canary:constant"} == {CONSTANT}
    assert all(each["response"] == each["prompt"] for each in told if each["model"] == "canary:prompt")
    for each in told:
        each["success"] = float(each["model"] == "canary:constant")
    planted.write_text("".join(json.dumps(each) + "\n" for each in told), encoding="utf-8")
    found = read_and_judge([path, planted], Sources())
    assert found.outcomes.table.models == ("a",)
    assert found.outcomes.table.requests_count == 60
    by_kind = {each.kind: each for each in found.canaries}
    assert by_kind["constant"].accepted.success_fraction == 1
    assert (by_kind["empty"].judged_count, by_kind["empty"].accepted.success_fraction) == (20, 0)
    assert "passes answers that cannot be right: 100 % of 20 canaries (constant)" in _warnings(found)


def test_empty_answers_that_a_judge_passed_are_canaries(tmp_path: Path) -> None:
    rows = [
        {"request_id": "1", "prompt": "why?", "model": "a", "response": "", "success": 1, "source": "judge"},
        {"request_id": "2", "prompt": "why?", "model": "a", "response": "why?", "success": 0, "source": "judge"},
        {"request_id": "3", "prompt": "why?", "model": "a", "response": "so", "success": 1, "source": "judge"},
    ]
    path = _file(tmp_path, "o.jsonl", "".join(json.dumps(each) + "\n" for each in rows))
    read, found = without_canaries(read_outcomes(path))
    assert read.table.requests_count == 3
    assert {each.kind: each.accepted.success_fraction for each in found} == {
        "empty answers of models": 1,
        "prompts said back by models": 0,
    }


def test_repeated_tries_tell_how_alike_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rates = rng.beta(1.2, 0.8, 400)
    rows = "".join(f"{i},a,{int(rng.random() < rates[i])},{k}\n" for i in range(400) for k in range(4))
    path = _file(tmp_path, "o.csv", "request_id,model,success,attempt\n" + rows)
    found = read_and_judge([path], Sources()).repeated["a"]
    assert found.correlation_fraction == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize(
    ("rows", "warning"),
    [
        ([f"{i},a,{i % 2}" for i in range(30)], "Only a was tried"),
        ([f"{i},{m},1" for i in range(30) for m in "ab"], "Every answer of every model succeeds"),
        ([f"{i},{m},0" for i in range(30) for m in "ab"], "Every answer of every model fails"),
        ([f"{i},{m},{int(m == 'a' or i % 2)}" for i in range(30) for m in "ab"], "Every answer of a succeeds"),
        ([f"{i},{'ab'[i % 2]},{i % 3 == 0:d}" for i in range(30)], "No request was tried by two models"),
        (["1,a,1", "1,a,0", "2,a,1"], "1 answer is told several times and differently, of 2"),
        ([f"{i},a,1" for i in range(3)], "Unpriced, so without a cost per success: a"),
    ],
)
def test_cautions(tmp_path: Path, rows: list[str], warning: str) -> None:
    path = _file(tmp_path, "o.csv", "request_id,model,success\n" + "\n".join(rows) + "\n")
    assert warning in _warnings(read_and_judge([path], Sources()))


def test_agreement_judges_what_nobody_else_did_and_says_what_it_is_worth(tmp_path: Path) -> None:
    rows = [
        {"request_id": str(i), "model": m, "response": "yes" if m == "b" or i % 2 else "no", "success": None}
        for i in range(4)
        for m in "ab"
    ]
    path = _file(tmp_path, "o.jsonl", "".join(json.dumps(each) + "\n" for each in rows))
    found = read_and_judge([path], Sources(reference="b"))
    np.testing.assert_array_equal(found.outcomes.table.success[:, 0], [0, 1, 0, 1])
    assert "no measure of quality" in _warnings(found)
    assert "14 points" in _warnings(found)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"request_id": "=1+1", "task": "@faq", "prompt": "=HYPERLINK(1)\nso", "model": "-a", "success": 0.5}
        | {"cost_usd": 0.25, "latency_s": 2.0, "response": "'=x", "source": "judge", "propensity": 0.5},
        {"request_id": "2", "task": "law", "prompt": "Grüße", "model": "b", "success": 1, "source": "gold"},
    ]
    read = read_outcomes(_file(tmp_path, "o.jsonl", "".join(json.dumps(each) + "\n" for each in rows)))
    assert write_outcomes(tmp_path / f"out{suffix}", read) == 2
    again = read_outcomes(tmp_path / f"out{suffix}")
    assert (again.table.request_ids, again.table.models) == (read.table.request_ids, read.table.models)
    assert (again.table.prompts, again.table.groups) == (read.table.prompts, read.table.groups)
    assert again.table.responses == read.table.responses
    np.testing.assert_array_equal(again.table.success, read.table.success)
    np.testing.assert_array_equal(again.table.cost_usd, read.table.cost_usd)
    np.testing.assert_array_equal(again.source_codes, read.source_codes)
    if suffix == ".csv":
        cells = (tmp_path / "out.csv").read_text(encoding="utf-8").replace('"', "").split("\n")[1].split(",")
        assert not any(each.startswith(("=", "@", "-")) for each in cells)


def test_an_answer_that_was_not_kept_is_written_as_none_and_an_empty_one_as_it_is(tmp_path: Path) -> None:
    rows = [
        {"request_id": str(i), "task": "t", "prompt": "why?", "model": "a", "response": text, "success": 1}
        for i, text in enumerate(("so", "", None))
    ]
    read = read_outcomes(_file(tmp_path, "o.jsonl", "".join(json.dumps(each) + "\n" for each in rows)))
    assert write_outcomes(tmp_path / "out.jsonl", read) == 3
    written = [json.loads(each)["response"] for each in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == ["so", "", None]
    assert read_outcomes(tmp_path / "out.jsonl").kept == read.kept


@given(st.text(st.sampled_from("'=+-@\t\rab"), max_size=6))
def test_marks_come_off_as_they_went_on(text: str) -> None:
    assert unmarked(marked(text)) == text
    assert not marked(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", "request_id,model,success\n1,a,1\n"))
    with pytest.raises(OutcomeError, match=r"ends in .jsonl or .csv"):
        write_outcomes(tmp_path / "out.xlsx", read)


def test_rejects_hold_no_words(tmp_path: Path) -> None:
    path = _file(tmp_path, "o.csv", "request_id,prompt,model,success\n1,tell nobody,a,7\n2,x,a,1\n")
    write_rejects(tmp_path / "r.jsonl", read_outcomes(path).rejects)
    (told,) = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (told["file"], told["row"], told["value"]) == ("o.csv", 2, "7")
    assert "nobody" not in json.dumps(told)
    assert (tmp_path / "r.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_written_file_corrects_its_judge_when_it_is_read_again(tmp_path: Path, suffix: str) -> None:
    path, truth = _judge_file(tmp_path)
    labels = "request_id,model,success\n" + "".join(f"{i},a,{truth[i]}\n" for i in range(80))
    found = read_and_judge([path], Sources(gold=_file(tmp_path, "gold.csv", labels)))
    out = tmp_path / f"out{suffix}"
    assert write_outcomes(out, found.outcomes, found.others) == 480
    again = read_and_judge([out], Sources())
    assert again.corrected == found.corrected
    np.testing.assert_array_equal(again.outcomes.table.success, found.outcomes.table.success)
    twice = tmp_path / f"twice{suffix}"
    write_outcomes(twice, again.outcomes, again.others)
    assert read_and_judge([twice], Sources()).corrected == found.corrected


def test_gold_without_the_judges_own_word_leaves_the_judge_alone(tmp_path: Path) -> None:
    path, truth = _judge_file(tmp_path)
    labels = "request_id,model,success\n" + "".join(f"{i},a,{truth[i]}\n" for i in range(80))
    found = read_and_judge([path], Sources(gold=_file(tmp_path, "gold.csv", labels)))
    write_outcomes(tmp_path / "out.csv", found.outcomes)
    lost = read_and_judge([tmp_path / "out.csv"], Sources())
    assert not lost.corrected
    assert judge_alone(lost) == JudgeAlone(alone_count=320, answers_count=400, gold_count=80)
    assert "A judge model alone says what succeeds for 320 of 400 answers" in _warnings(lost)
    assert "80 stand here, too few or without the judge's own word" in _warnings(lost)


def test_a_rate_of_some_requests_needs_gold_of_their_own(tmp_path: Path) -> None:
    path, truth = _judge_file(tmp_path, 2000, with_gold=200)
    found = read_and_judge([path], Sources())
    first = np.arange(2000) < 1000
    rate = rate_of_rows(found, "a", first)
    assert rate is not None
    assert (rate.gold_count, rate.judged_count) == (200, 800)
    assert rate.low_fraction <= truth[:1000].mean() <= rate.high_fraction
    assert rate_of_rows(found, "a", ~first) is None
