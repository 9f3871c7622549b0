"""Names of models and GPUs: what goes by rule, what goes by alias, and what must not be guessed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.catalog.names import find_gpu, find_model
from breakeven.errors import UnknownName

CATALOG = load_catalog(date(2026, 11, 25))
UNKNOWN_MODELS = {"llama3_1-405b_pruned"}
UNKNOWN_GPUS = {"[MAXSUN] MS-Intel Arc Pro B60 Dual 48G Turbo"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama-3.1-8B"),
        ("neuralmagic/Meta-Llama-3.1-70B-Instruct-FP8", "Llama-3.1-70B"),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8", "Llama-3.1-8B"),
        ("amd/Llama-2-70b-chat-hf-WMXFP4-AMXFP4-KVFP8-Scale-UINT8-SQ", "Llama-2-70B"),
        ("llama3_1-70b-fp8_dyn", "Llama-3.1-70B"),
        ("llama2-70b-99.9", "Llama-2-70B"),
        ("llama3.1:8b", "Llama-3.1-8B"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507-FP8", "Qwen3-30B-A3B"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "Qwen2.5-72B"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B"),
        ("Mistral-7B", "Mistral-7B-v0.3"),
        ("openai/gpt-oss-20b", "gpt-oss-20b"),
        ("google/gemma-3-27b-it", "Gemma-3-27B"),
        ("deepseek-ai/DeepSeek-R1-0528", "DeepSeek-R1"),
        ("nvidia/DeepSeek-V3.1-NVFP4", "DeepSeek-V3"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "Llama-3.1-70B"),
        ("moonshotai/Kimi-K2-Thinking", "Kimi-K2.5"),
        ("zhipuai/GLM-5", "GLM-5"),
    ],
)
def test_a_model_by_another_name(name: str, meant: str) -> None:
    assert find_model(CATALOG, name).name == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NVIDIA H200-SXM-141GB", "H200-SXM-141"),
        ("Virtualized NVIDIA H200-SXM-141GB", "H200-SXM-141"),
        ("H100", "H100-SXM-80"),
        ("h100 sxm5", "H100-SXM-80"),
        ("NVIDIA H100 PCIe", "H100-PCIe"),
        ("A100", "A100-SXM-80"),
        ("NVIDIA A100-SXM4-40GB", "A100-40-SXM"),
        ("AMD Instinct MI325X 256GB HBM3e", "MI325X"),
        ("AMD Instinct MI300X-NPS1-SPX-192GB-750W", "MI300X"),
        ("NVIDIA GeForce RTX 4090", "RTX-4090"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000-BSE"),
        ("L40S", "L40S"),
        ("b200", "B200-SXM-180"),
    ],
)
def test_a_gpu_by_another_name(name: str, meant: str) -> None:
    assert find_gpu(CATALOG, name).name == meant


@pytest.mark.parametrize(
    "name", ["Llama-3.2-3B", "llama3_1-405b_pruned", "Qwen/Qwen2.5-VL-7B-Instruct", "Qwen3", "", "instruct"]
)
def test_a_model_that_is_not_there_is_not_guessed(name: str) -> None:
    with pytest.raises(UnknownName, match="unknown model"):
        find_model(CATALOG, name)


@pytest.mark.parametrize("name", ["V100", "H20", "NVIDIA GH200-144GB", "H100 80GB HBM2e", "nvidia", "8x H100", ""])
def test_a_gpu_that_is_not_there_is_not_guessed(name: str) -> None:
    with pytest.raises(UnknownName, match="unknown GPU"):
        find_gpu(CATALOG, name)


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'Qwen2\.5-7B'"):
        find_model(CATALOG, "Qwen/Qwen2.5-VL-7B-Instruct")


@pytest.mark.parametrize(("entries", "find"), [(CATALOG.models, find_model), (CATALOG.gpus, find_gpu)])
def test_every_entry_is_found_by_each_of_its_names(entries: dict[str, object], find: Callable[..., object]) -> None:
    for entry in entries.values():
        for name in (entry.name, *entry.aliases):  # type: ignore[attr-defined]
            assert find(CATALOG, name) is entry, name


@given(
    st.sampled_from(sorted(CATALOG.models)),
    st.sampled_from(["", "-Instruct", "-FP8", "_nvfp4", "-Chat-HF"]),
    st.booleans(),
)
def test_case_separators_and_storage_do_not_change_the_model(name: str, suffix: str, is_upper: bool) -> None:
    spelled = f"some-org/{name.replace('-', '_')}{suffix}"
    assert find_model(CATALOG, spelled.upper() if is_upper else spelled).name == name


@given(st.text(max_size=30))
def test_any_text_is_an_entry_or_an_error(name: str) -> None:
    for find in (find_model, find_gpu):
        try:
            find(CATALOG, name)
        except UnknownName as error:
            assert f"'{name}'" in str(error)


def test_every_measured_name_is_known_or_known_to_be_unknown(shared_data: Path) -> None:
    with (shared_data / "serving" / "measured_throughput.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, find, unknown in (("model", find_model, UNKNOWN_MODELS), ("gpu", find_gpu, UNKNOWN_GPUS)):
        missing = set()
        for name in {row[column] for row in rows}:
            try:
                find(CATALOG, name)  # type: ignore[operator]
            except UnknownName:
                missing.add(name)
        assert missing == unknown
