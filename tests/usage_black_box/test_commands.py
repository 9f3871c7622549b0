"""`profile` and `compare` on logs at the edge: a right answer or clear words, never a traceback, NaN or nonsense."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from breakeven.cli.main import main
from usage_black_box.logs import jsonl, write

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=60)
Run = Callable[..., tuple[int, str, str]]


def call(minute: float, input_tokens: int = 1000, output_tokens: int = 100, **fields: Any) -> dict[str, Any]:
    usual = {"request_model": "gpt-4o", "provider": "openai"}
    tokens = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    return {"start_time": (START + timedelta(minutes=minute)).isoformat(), **tokens, **usual, **fields}


def bucket(hour: int, **fields: Any) -> dict[str, Any]:
    end = (START + timedelta(hours=hour + 1)).isoformat()
    return call(60 * hour, 5_000_000, 600_000, **{"grain": "bucket", "end_time": end, "request_count": 1000, **fields})


@pytest.fixture
def breakeven(tmp_path, monkeypatch, capsys) -> Run:
    """Run the command in this process: exit code, output, complaints."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["breakeven", *arguments])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, complaint = capsys.readouterr()
        return code, out, complaint

    return run


@pytest.fixture
def ask(breakeven, tmp_path) -> Callable[[str, Iterable[Any]], tuple[int, Any]]:
    """Ask a verb about a log: the exit code, then the document, or the complaint."""

    def ask_about(verb: str, lines: Iterable[Any]) -> tuple[int, Any]:
        write(tmp_path / "log.jsonl", jsonl(*lines))
        write(tmp_path / "scenario.yaml", "draws_log2: 9\n")  # few futures: what is looked for hides in none of them
        code, out, complaint = breakeven(verb, "--usage", "log.jsonl", "--scenario", "scenario.yaml", "--json")
        assert "Traceback" not in complaint and "Warning" not in complaint
        if code:
            assert code == 2 and not out and len(complaint) > 20
            return code, complaint
        return code, json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))

    return ask_about


def numbers(node: Any) -> Iterable[float]:
    """Every number of a document."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from numbers(each)
    elif isinstance(node, int | float):
        yield node


def check_sane(document: dict[str, Any]) -> None:
    assert all(math.isfinite(each) for each in numbers(document))
    assert document["verdict"]["sentence"]
    for word in ("nan", "inf ", "None"):
        assert word not in document["verdict"]["sentence"]


EDGES: dict[str, list[dict[str, Any]]] = {
    "all failed, with tokens": [call(n, 1000, 0, status="error") for n in range(50)],
    "prompts only": [call(n, 1000, 0) for n in range(50)],
    "answers only": [call(n, 0, 100) for n in range(50)],
    "all cached": [call(n, cache_read_tokens=1000) for n in range(50)],
    "no model named": [{k: v for k, v in call(n).items() if k not in ("request_model", "provider")} for n in range(50)],
    "no provider named": [{k: v for k, v in call(n).items() if k != "provider"} for n in range(50)],
    "tiny": [call(0, 1, 1), call(40 * 1440, 1, 1)],
    "1e12 tokens": [call(n * 60, 100_000_000, 100_000_000) for n in range(500)],
    "buckets": [bucket(n) for n in range(200)],
    "buckets that do not count requests": [bucket(n, request_count=None) for n in range(200)],
    "one bucket": [bucket(0)],
    "buckets and requests": [*(bucket(n) for n in range(50)), *(call(n * 60) for n in range(50))],
    "heavy weights": [call(n, weight=1e6) for n in range(50)],
    "ten years": [call(-n * 30 * 1440) for n in range(120)],
    "a month of four models": [call(n * 20, request_model=f"gpt-{n % 4}o") for n in range(2500)],
}


COMPARED = (
    "all failed, with tokens",
    "answers only",
    "no model named",
    "tiny",
    "1e12 tokens",
    "buckets that do not count requests",
    "one bucket",
    "ten years",
)


@pytest.mark.parametrize("name", COMPARED)
def test_compare_at_the_edge(ask, name):
    code, found = ask("compare", EDGES[name])
    if code == 0:
        check_sane(found)
        assert found["workload"]["requests_count"] >= 0


@pytest.mark.parametrize("name", EDGES)
def test_profile_at_the_edge(ask, name):
    code, found = ask("profile", EDGES[name])
    assert code == 0, found
    assert all(math.isfinite(each) for each in numbers(found))
    assert found["input_tokens"] == sum(each["input_tokens"] * each.get("weight", 1) for each in EDGES[name])
    assert found["peak_to_mean_ratio"] is None or found["peak_to_mean_ratio"] >= 1


@pytest.mark.parametrize("verb", ["profile", "compare"])
@pytest.mark.parametrize("lines", [[call(0)], [call(0, id=str(n)) for n in range(50)]], ids=["one call", "one instant"])
def test_one_instant_has_no_rate(ask, verb, lines):
    code, complaint = ask(verb, lines)
    assert code == 2
    assert "instant" in complaint


def test_two_calls_a_microsecond_apart_are_no_workload(ask):
    """Extrapolating a microsecond to a month gives billions of dollars; no sentence about odds can be true of it."""
    code, found = ask("compare", [call(0), call(1 / 60e6)])
    assert code == 2, found["verdict"]["sentence"]


def test_a_log_of_no_tokens_says_that_there_are_no_tokens(ask):
    code, complaint = ask("compare", [call(n, 0, 0) for n in range(50)])
    assert code == 2
    assert "token" in complaint and "has a known price" not in complaint


def test_unknown_models_are_named(ask):
    code, complaint = ask("compare", [call(n, request_model="my-own-7b", provider="me") for n in range(50)])
    assert code == 2
    assert "my-own-7b" in complaint and "price" in complaint


def test_unknown_models_are_unpriced_and_not_free(ask):
    _, found = ask("profile", [call(n, request_model="my-own-7b", provider="me") for n in range(50)])
    assert found["unpriced_tokens_fraction"] == 1
    assert found["unpriced"]


def test_calls_without_a_model_are_unpriced_and_not_free(ask):
    _, found = ask("profile", EDGES["no model named"])
    assert found["unpriced_tokens_fraction"] == 1 or found["spend_usd"] is None


def test_some_embeddings_in_the_log_do_not_stop_the_answer(ask):
    embeddings = [call(n, 500, 0, operation="embeddings", request_model="text-embedding-3-small") for n in range(20)]
    code, found = ask("compare", [*(call(n) for n in range(100)), *embeddings])
    assert code == 0, found
    check_sane(found)


def test_a_log_whose_rows_are_all_bad_says_so(ask):
    for verb in ("profile", "compare"):
        code, complaint = ask(verb, [call(n, -1) for n in range(50)])
        assert code == 2
        assert "50" in complaint and "reject" in complaint and "negative" in complaint


def test_a_weekly_batch_job_has_a_peak(ask):
    """All tokens fall in one hour of each week: 168 times the mean, and the hours between must not hide it."""
    lines = [call(week * 7 * 1440 + minute, 100_000, 10_000) for week in range(6) for minute in range(60)]
    _, found = ask("profile", lines)
    assert found["peak_to_mean_ratio"] > 10


def test_names_from_an_enemy_do_not_reach_the_terminal_or_the_page(breakeven, tmp_path):
    name = "[red]\x1b[2J<script>alert(1)</script>{x}%s‮"
    known = [call(n * 60) for n in range(500)]
    write(tmp_path / "log.jsonl", jsonl(*known, *(call(n, request_model=name, application=name) for n in range(5))))
    code, out, complaint = breakeven("compare", "--usage", "log.jsonl", "--html", "page.html")
    assert code == 0, complaint
    page = (tmp_path / "page.html").read_text()
    assert "\x1b" not in out and "‮" not in out and "<script>alert" not in page
    assert "\x1b" not in page and "‮" not in page
    code, out, _ = breakeven("profile", "--usage", "log.jsonl")
    assert code == 0 and "\x1b" not in out and "‮" not in out and "[red]" in out


def test_import_prints_the_same_counts_as_its_json(breakeven, tmp_path):
    write(tmp_path / "log.jsonl", jsonl(*(call(n, id=f"i{n % 7}") for n in range(10)), "bad", call(3, -1)))
    code, out, _ = breakeven("import", "log.jsonl", "--store", "a")
    assert code == 0
    assert "12 rows in" in out and "7 calls + 3 duplicates + 2 rejects" in out
    code, out, _ = breakeven("import", "log.jsonl", "--store", "b", "--json")
    found = json.loads(out)
    assert [found[each] for each in ("rows_in", "calls", "duplicates", "rejects")] == [12, 7, 3, 2]
    code, out, _ = breakeven("import", "log.jsonl", "--store", "b", "--json")
    found = json.loads(out)
    assert [found[each] for each in ("rows_in", "calls", "duplicates", "rejects")] == [12, 0, 10, 2]


def test_import_of_what_is_no_log_exits_with_words(breakeven, tmp_path):
    write(tmp_path / "empty.jsonl", "")
    (tmp_path / "folder").mkdir()
    for path in ("empty.jsonl", "folder", "gone.jsonl"):
        code, out, complaint = breakeven("import", path, "--store", "a")
        assert code == 2 and path in complaint and not out


def test_a_store_that_cannot_be_written(breakeven, tmp_path):
    write(tmp_path / "log.jsonl", jsonl(call(0), call(1)))
    write(tmp_path / "file", "in the way")
    code, _, complaint = breakeven("import", "log.jsonl", "--store", "file/store")
    assert code == 2 and "Traceback" not in complaint


def test_rejects_that_cannot_be_written(breakeven, tmp_path):
    write(tmp_path / "log.jsonl", jsonl(call(0), call(1), "bad"))
    write(tmp_path / "file", "in the way")
    code, _, complaint = breakeven("import", "log.jsonl", "--store", "a", "--rejects", "file/rejects.jsonl")
    assert code == 2 and "Traceback" not in complaint


def test_the_reject_file_does_not_overwrite_the_log(breakeven, tmp_path):
    """A typing error must not cost somebody their log."""
    text = jsonl(call(0), call(1), "bad")
    write(tmp_path / "log.jsonl", text)
    breakeven("import", "log.jsonl", "--store", "a", "--rejects", "log.jsonl")
    assert (tmp_path / "log.jsonl").read_text() == text
