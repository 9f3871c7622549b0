"""Calls without token counts: estimated from their texts and never lost; rows of a stream are one Call."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from breakeven.usage.token_estimate.class_mix import CLASS_MIX_ERROR_FRACTION, class_mix_tokens

from ..logs import imported, imported_paths, jsonl, row, write

WORDS = (
    *("please", "summarise", "the", "following", "report", "about", "quarterly", "revenue", "and", "costs", "of"),
    *("every", "region", "in", "two", "sentences"),
)


def said(chance: random.Random, size: int) -> str:
    return " ".join(chance.choices(WORDS, k=size))


def planted(calls_count: int, factor_ratio: float, noise_ratio: float) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """A log in which every second call tells its tokens, and the truth about the others."""
    chance = random.Random(7)
    rows, truth = [], {}
    for number in range(calls_count):
        prompt, answer = said(chance, chance.randrange(20, 200)), said(chance, chance.randrange(10, 80))
        wanted = {
            "input_tokens": round(
                class_mix_tokens(prompt) * factor_ratio * chance.uniform(1 - noise_ratio, 1 + noise_ratio)
            ),
            "output_tokens": round(class_mix_tokens(answer) * factor_ratio),
        }
        told = wanted if number % 2 else {"input_tokens": None, "output_tokens": None}
        rows.append(row(number, prompt=prompt, response=answer, model="m", **told))
        if number % 2 == 0:
            truth[f"call-{number}"] = wanted["input_tokens"]
    return rows, truth


def test_estimates_are_calibrated_on_the_calls_that_tell(tmp_path: Path) -> None:
    rows, truth = planted(150, factor_ratio=1.4, noise_ratio=0.1)
    found = imported(tmp_path, jsonl(*rows))
    made = {each["record_id"]: each for each in found.calls if each["tokens_source"] == "estimated"}
    assert set(made) == set(truth) and found.report.rejects == {}
    errors = [made[name]["input_tokens"] / truth[name] - 1 for name in truth]
    assert abs(sum(errors) / len(errors)) < 0.03
    band = made["call-0"]["tokens_error_fraction"]
    assert 0.05 < band < 0.12
    assert 0.65 <= sum(abs(each) <= band for each in errors) / len(errors) <= 0.95
    assert all(each["tokens_error_fraction"] is None for each in found.calls if each["tokens_source"] == "reported")
    (warning,) = found.report.warnings
    assert "75 rows have texts and no token counts" in warning and "calibrated on up to 75 calls" in warning


def test_without_calls_that_tell_an_estimate_is_a_guess_and_says_so(tmp_path: Path) -> None:
    rows = [
        {"id": f"c{n}", "timestamp": row(n)["timestamp"], "model": "m", "prompt": "Hello there " * 9, "response": "Hi"}
        for n in range(3)
    ]
    found = imported(tmp_path, jsonl(*rows))
    assert [each["input_tokens"] for each in found.calls] == [round(class_mix_tokens("Hello there " * 9))] * 3
    assert {each["tokens_error_fraction"] for each in found.calls} == {CLASS_MIX_ERROR_FRACTION}
    assert "a guess" in found.report.warnings[0]


def test_only_what_is_missing_is_estimated(tmp_path: Path) -> None:
    answer = {"choices": [{"message": {"role": "assistant", "content": "Two words and two more"}}]}
    call = imported(tmp_path, jsonl(row(0, prompt="Hi", response=answer, output_tokens=None))).only
    assert (call["input_tokens"], call["tokens_source"]) == (100, "estimated")
    assert call["output_tokens"] == round(class_mix_tokens("Two words and two more"))


def test_a_text_on_one_side_only_leaves_the_other_missing(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(row(0, prompt="Hi", output_tokens=None), row(1)))
    assert found.reasons == {1: "output_tokens is missing"}


def test_estimates_do_not_depend_on_how_the_log_is_cut(tmp_path: Path) -> None:
    rows, _ = planted(100, 1.2, 0.1)
    one = imported(tmp_path / "a", jsonl(*rows))
    again = imported(tmp_path / "a", jsonl(*rows))
    assert one.digest == again.digest


def test_rows_of_a_stream_and_the_row_with_its_usage_are_one_call(tmp_path: Path) -> None:
    chunks = [row(0, id="s", input_tokens=None, output_tokens=None) for _ in range(4)]
    for number, rows in enumerate(
        ([*chunks, row(0, id="s")], [row(0, id="s"), *chunks], [*chunks[:2], row(0, id="s"), *chunks[2:]])
    ):
        found = imported(tmp_path / str(number), jsonl(*rows, row(1)))
        assert (found.report.calls, found.report.duplicates, found.report.rejects) == (2, 4, {})


def test_rows_of_a_stream_without_any_usage_are_rejects(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(row(0, id="s", input_tokens=None), row(0, id="t", input_tokens=None), row(1)))
    assert found.report.rejects == {"input_tokens is missing": 2}


def test_told_tokens_win_against_estimated_ones(tmp_path: Path) -> None:
    early = row(0, id="s", input_tokens=None, output_tokens=None, prompt="Hi", response="Hello")
    late = row(0, id="s", output_tokens=7)
    for name, rows in (("a", [early, late]), ("b", [late, early])):
        call = imported(tmp_path / name, jsonl(*rows)).only
        assert (call["output_tokens"], call["tokens_source"]) == (7, "reported")
    apart = [write(tmp_path, jsonl(each), f"{n}.jsonl") for n, each in enumerate((late, early))]
    assert imported_paths(*apart).only["tokens_source"] == "reported"


def test_a_retry_is_a_call_of_its_own_that_names_the_one_it_repeats(tmp_path: Path) -> None:
    failed = row(0, id="a", status=500, output_tokens=0)
    found = imported(tmp_path, jsonl(failed, row(1, id="b", retry_of="a")))
    assert [(each["record_id"], each["status"], each["retry_of"]) for each in found.calls] == [
        ("a", "error", None),
        ("b", "ok", "a"),
    ]


def test_images_that_an_estimate_leaves_out_are_said(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    content = [{"type": "text", "text": said(random.Random(1), 60)}, image]
    told = {"input_tokens": None, "output_tokens": None, "response": "Fine", "model": "m"}
    rows = [row(n, messages=[{"role": "user", "content": content[: 1 + n % 2]}], **told) for n in range(6)]
    warnings = imported(tmp_path, jsonl(*rows)).report.warnings
    assert any(each.startswith("3 of these rows have images, whose tokens were NOT counted") for each in warnings)
