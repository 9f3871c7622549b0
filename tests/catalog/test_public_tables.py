"""GPUs, models, carbon and scores of the public data: the catalogue says what they say (skipped without them)."""

from __future__ import annotations

import csv
import gzip
import json
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade

CATALOG = load_catalog(date(2026, 11, 23))


def _three(fact: Assumption) -> tuple[float, float, float]:
    return fact.low, fact.typical, fact.high


def test_every_gpu_is_there(shared_data: Path) -> None:
    for row in json.loads((shared_data / "serving" / "gpus.json").read_text(encoding="utf-8")):
        gpu = CATALOG.gpus[row["gpu"]]
        pairs = (
            (gpu.memory_gb, row["usable_bytes_gb"]),
            (gpu.bandwidth_gb_per_s, row["bw_gbs"]),
            (gpu.bf16_tflops, row["bf16_tflops_dense"]),
            (gpu.fp8_tflops, row["fp8_tflops_dense"]),
            (gpu.fp4_tflops, row["fp4_tflops_dense"]),
            (gpu.power_w, row["tdp_w"]),
            (gpu.link_gb_per_s, row["intra_node_bw_gbs_unidir"]),
        )
        assert [ours for ours, _ in pairs] == [None if theirs == "" else float(theirs) for _, theirs in pairs]


def test_what_was_recalled_is_not_called_read() -> None:
    for gpu in CATALOG.gpus.values():
        if "from memory" in f"{gpu.source.title} {gpu.note}":
            assert gpu.source.grade in (Grade.GUESS, Grade.EXPERT), gpu.name


def test_every_model_is_there(shared_data: Path) -> None:
    for row in json.loads((shared_data / "serving" / "models.json").read_text(encoding="utf-8")):
        model = CATALOG.models[row["model"]]
        assert model.params_count == pytest.approx(row["params_B_calc"] * 1e9, rel=1e-4)
        assert model.kv_bytes_per_token == row["kv_bytes_per_token_fp16"]
        shape = (model.layers_count, model.hidden_size_count, model.heads_count, model.kv_heads_count)
        assert shape == (row["layers"], row["hidden"], row["heads"], row["kv_heads"])
        assert (model.context_tokens, model.experts_count) == (row["context"], row["experts"] or 0)


def test_every_class_of_open_model_has_one() -> None:
    small, mid, large, moe = (
        {name for name, model in CATALOG.models.items() if test(model.params_count / 1e9, model.is_moe)}
        for test in (
            lambda size, _: size < 14,
            lambda size, _: 14 <= size <= 40,
            lambda size, is_moe: size > 40 and not is_moe,
            lambda size, is_moe: size > 40 and is_moe,
        )
    )
    assert {"Llama-3.1-8B", "Qwen3-8B", "Gemma-3-12B"} <= small
    assert {"Gemma-3-27B", "Qwen3-32B"} <= mid
    assert {"Llama-3.3-70B"} <= large
    assert {"gpt-oss-120b", "DeepSeek-V3"} <= moe


def test_the_carbon_of_every_zone(shared_data: Path) -> None:
    with (shared_data / "prices" / "carbon_intensity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    theirs = sorted((row["zone"], float(row["gco2e_per_kwh"]), row["data_year"]) for row in rows)
    ours = sorted(
        (zone, value.g_per_kwh, str(value.data_year or ""))
        for zone, entry in CATALOG.carbon.items()
        for value in entry.values
    )
    assert ours == theirs


def test_the_default_carbon_is_the_stated_quantiles() -> None:
    regions = sorted(v.g_per_kwh for z in CATALOG.carbon.values() if z.scope == "cloud_region" for v in z.values)
    countries = sorted(
        v.g_per_kwh for z in CATALOG.carbon.values() for v in z.values if v.source.title.startswith("ecologits")
    )
    now = CATALOG.assumptions["grid_carbon_g_per_kwh"]
    before = load_catalog(date(2026, 10, 22)).assumptions["grid_carbon_g_per_kwh"]
    assert (len(regions), len(countries)) == (40, 215)
    assert _three(now) == pytest.approx([_quantile(regions, share) for share in (0.05, 0.5, 0.95)])
    assert (before.low, before.high) == pytest.approx([_quantile(countries, s) for s in (0.05, 0.95)], abs=0.05)
    assert before.typical == CATALOG.carbon["USA"].values[0].g_per_kwh


def _quantile(ordered: list[float], share: float) -> float:
    return quantiles(ordered, n=100, method="inclusive")[round(share * 100) - 1]


@pytest.mark.usefixtures("long_csv_fields")
def test_the_public_scores_are_as_the_notes_say(shared_data: Path) -> None:
    routing = shared_data / "routing"
    bench, many, seven = (
        _mean_scores(routing / f"{name}.csv.gz")
        for name in ("routerbench_subset", "llmrouter_9models", "routerdc_7models")
    )
    mmlu, gsm = (_mean_scores(routing / f"{name}_routellm.csv.gz") for name in ("mmlu", "gsm8k"))
    best = bench["gpt-4-1106-preview"]
    smalls = [many[n] for n in many if re.search(r"(7b|8b|9b)-(instruct|it)", n)]
    note = _note("small")
    assert len(smalls) == 4
    assert f"{min(smalls):.2f} to {max(smalls):.2f}, mean {sum(smalls) / 4:.2f}" in note
    assert f"{min(seven.values()):.2f} to {max(seven.values()):.2f}, mean {sum(seven.values()) / 7:.2f}" in note
    pair = [bench["mistralai/mistral-7b-chat"], bench["WizardLM/WizardLM-13B-V1.2"]]
    assert {f"{each:.2f}" for each in (*pair, best)} == {"0.59", "0.89"}
    assert f"{pair[1] / best:.2f}" in note
    mids = [bench["meta/code-llama-instruct-34b-chat"], bench["zero-one-ai/Yi-34B-Chat"]]
    assert f"{mids[0]:.2f} and {mids[1]:.2f}" in _note("mid")
    assert f"{mids[0] / best:.2f} and {mids[1] / best:.2f}" in _note("mid")
    assert f"Llama 2 70B {bench['meta/llama-2-70b-chat']:.2f}" in _note("large")
    nemotron = [score for name, score in many.items() if "nemotron" in name]
    assert {f"{each:.2f}" for each in nemotron} == {"0.63"}
    mixtral = "mixtral-8x7b-instruct"
    assert f"{bench['mistralai/mixtral-8x7b-chat']:.2f} and {best:.2f}" in _note("moe")
    for scores in (mmlu, gsm):
        assert f"{scores[mixtral]:.2f} and {scores['gpt-4-1106-preview']:.2f}" in _note("moe")
    tiers = [bench["gpt-3.5-turbo-1106"] / best, bench["claude-instant-v1"] / bench["claude-v1"]]
    assert f"{tiers[0]:.2f} and {tiers[1]:.2f}" in CATALOG.assumptions["cheaper_tier_success_fraction"].note


def _note(size: str) -> str:
    return CATALOG.assumptions[f"{size}_model_success_fraction"].note


def _mean_scores(path: Path) -> dict[str, float]:
    sums: dict[str, list[float]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name.startswith("score__") and value:
                    sums.setdefault(name.removeprefix("score__"), []).append(float(value))
    return {name: sum(values) / len(values) for name, values in sums.items()}


def test_success_grows_with_size_and_stays_below_the_frontier() -> None:
    order = ("small_model", "mid_model", "large_model", "moe_model", "frontier")
    facts = [CATALOG.assumptions[f"{name}_success_fraction"] for name in order]
    for weaker, stronger in pairwise(facts):
        assert all(a <= b for a, b in zip(_three(weaker), _three(stronger), strict=True))
    assert _three(facts[3]) == _three(CATALOG.assumptions["open_model_success_fraction"])
