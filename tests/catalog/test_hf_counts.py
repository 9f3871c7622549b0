"""Counts from configurations: they reproduce the catalogue's entries and the makers' own figures."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.hf_config import HfConfig, read_hf_config
from breakeven.catalog.hf_counts import FAMILIES, Counts, count
from breakeven.catalog.load import load_catalog
from breakeven.errors import CatalogError
from hf_configs import CONFIGS, FP8, INT4_EXPERTS, PUBLISHED_B

MODELS = load_catalog(date(2026, 11, 25)).models


def counted(config: dict[str, Any], folder: Path) -> Counts:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return count(read_hf_config(path))


def test_every_entry_has_a_configuration_here() -> None:
    assert set(CONFIGS) == set(MODELS)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_reproduces_its_entry(name: str, tmp_path: Path) -> None:
    found, entry = counted(CONFIGS[name], tmp_path), MODELS[name]
    assert found.params_count == pytest.approx(entry.params_count, rel=1e-3)
    assert found.active_params_count == pytest.approx(entry.active_params_count, rel=1e-3)
    assert found.kv_bytes_per_token == entry.kv_bytes_per_token
    assert found.state_gb == pytest.approx(entry.state_gb, rel=1e-3)
    for field in (
        "layers_count",
        "hidden_size_count",
        "heads_count",
        "kv_heads_count",
        "head_dim_count",
        "experts_count",
        "experts_per_token_count",
        "expert_size_count",
        "intermediate_size_count",
        "latent_attention",
        "state_layers_count",
        "sparse_attention_tokens",
        "sliding_window_tokens",
        "sliding_layers_count",
        "context_tokens",
        "native_precision",
    ):
        assert getattr(found, field) == getattr(entry, field), field
    assert found.vocab_count == pytest.approx(entry.vocab_count, rel=1e-3)  # Gemma 3: 64 rows for images
    assert dict(found.weights_gb) == pytest.approx(dict(entry.weights_gb_by_precision), rel=1e-3)
    assert dict(found.expert_weights_gb) == pytest.approx(dict(entry.expert_weights_gb_by_precision), rel=1e-3)


@pytest.mark.parametrize("name", PUBLISHED_B)
def test_models_without_an_entry_come_out_as_published(name: str, tmp_path: Path) -> None:
    config, params_b, active_b = PUBLISHED_B[name]
    found = counted(config, tmp_path)
    assert found.params_count / 1e9 == pytest.approx(params_b, rel=0.01)
    assert found.active_params_count / 1e9 == pytest.approx(active_b, rel=0.3)  # makers leave embeddings out, or not


def test_a_small_model_by_hand(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "num_hidden_layers": 2,
        "hidden_size": 8,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 10,
        "max_position_embeddings": 64,
    }
    found = counted(config, tmp_path)
    attention = 8 * 8 + 2 * 8 * 4 + 8 * 8
    layer = attention + 3 * 8 * 16 + 2 * 8
    assert found.params_count == 2 * layer + 2 * 10 * 8 + 8
    assert found.kv_bytes_per_token == 2 * 2 * 2 * 2 * 2  # keys and values, layers, heads, values a head, bytes
    assert found.weights_gb["bf16"] == pytest.approx(found.params_count * 2 / 1e9)
    tied = counted({**config, "tie_word_embeddings": True}, tmp_path)
    assert found.params_count - tied.params_count == 10 * 8


def test_the_indexer_of_shared_layers_is_counted_once(tmp_path: Path) -> None:
    every, some = (counted(CONFIGS[name], tmp_path) for name in ("GLM-5", "GLM-5.2"))
    assert every.params_count > some.params_count
    assert every.kv_bytes_per_token - some.kv_bytes_per_token == (78 - 21) * 132


def test_int4_experts_leave_the_rest_at_16_bit(tmp_path: Path) -> None:
    found = counted(CONFIGS["Kimi-K2.5"], tmp_path)
    rest = found.params_count - found.expert_params_count
    assert found.weights_gb["fp4"] == pytest.approx((found.expert_params_count * 4.5 / 8 + rest * 2) / 1e9)
    assert found.weights_gb["fp4"] == pytest.approx(594, abs=2)  # the repository holds 595 GB, from memory


def test_windows(tmp_path: Path) -> None:
    mistral = {**CONFIGS["Mistral-7B-v0.3"], "sliding_window": 4096}
    assert counted(mistral, tmp_path).sliding_layers_count == 32
    assert counted({**mistral, "sliding_window": 32768}, tmp_path).sliding_layers_count == 0
    qwen = {**CONFIGS["Qwen2.5-7B"], "sliding_window": 4096, "max_window_layers": 20}
    assert counted({**qwen, "use_sliding_window": True}, tmp_path).sliding_layers_count == 8
    assert counted({**qwen, "use_sliding_window": False}, tmp_path).sliding_layers_count == 0


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "DeepSeek-V3", "Qwen3.5-397B-A17B", "gpt-oss-20b", "Mixtral-8x7B"])
def test_a_missing_field_is_named_with_its_file(name: str, tmp_path: Path) -> None:
    whole = CONFIGS[name]
    fields = whole.get("text_config", whole)
    optional = {"rope_theta", "tie_word_embeddings", "mamba_ssm_dtype", "attn_output_gate", "attention_bias"}
    optional |= {"num_nextn_predict_layers", "num_key_value_heads", "quantization_config", "n_shared_experts"}
    optional |= {"shared_expert_intermediate_size", "sliding_window", "q_lora_rank"}
    if name == "Mixtral-8x7B":
        optional.discard("quantization_config")
    for missing in set(fields) - optional:
        left = {key: value for key, value in fields.items() if key != missing}
        config = {**whole, "text_config": left} if "text_config" in whole else left
        with pytest.raises(CatalogError, match=rf"config\.json: (no field '{missing}'|model_type)"):
            counted(config, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba2"}, "saw 'mamba2', whose layers are not known here; known: deepseek_v2"),
        ({"num_hidden_layers": "32"}, "num_hidden_layers: saw '32', wanted a whole number"),
        ({"num_hidden_layers": 0}, "num_hidden_layers: saw 0, wanted a whole number above 0"),
        ({"hidden_size": -1}, "hidden_size: saw -1"),
        ({"vocab_size": True}, "vocab_size: saw True"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings: saw 'no', wanted true or false"),
        ({"layer_types": ["full_attention"]}, "layer_types: wanted a list of 32 words"),
        ({"quantization_config": "fp8"}, "quantization_config: saw 'fp8', wanted an object"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "saw 'bitsandbytes'; known: fp8, mxfp4"),
        ({"quantization_config": {"quant_method": "awq", "bits": 3, "group_size": 128}}, "saw 3 bits in groups of 128"),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "W3"}}, "quant_algo: saw 'W3'"),
        (
            {
                "quantization_config": {
                    "quant_method": "compressed-tensors",
                    "config_groups": {"a": {"weights": {"num_bits": 4}}, "b": {"weights": {"num_bits": 8}}},
                }
            },
            "wanted one number of bits",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=message):
        counted({**CONFIGS["Llama-3.1-8B"], **change}, tmp_path)


@pytest.mark.parametrize(
    ("said", "precision", "bits"),
    [
        (FP8, "fp8", 8.0),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "fp4", 4.125),
        ({"quant_method": "gptq", "bits": 4, "group_size": 32}, "fp4", 4.5),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "fp4", 4.5),
        (
            {
                "quant_method": "modelopt",
                "config_groups": {"g": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}}},
            },
            "fp4",
            4.5,
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}}}},
            "fp8",
            8.0,
        ),
    ],
)
def test_how_weights_are_stored(said: dict[str, Any], precision: str, bits: float, tmp_path: Path) -> None:
    found = counted({**CONFIGS["Llama-3.1-8B"], "quantization_config": said}, tmp_path)
    embedding = found.embedding_params_count
    assert found.native_precision == precision
    assert precision in found.weights_gb
    assert "bf16" not in found.weights_gb
    wanted = (embedding * 2 + (found.params_count - embedding) * bits / 8) / 1e9
    assert found.weights_gb[precision] == pytest.approx(wanted)


def test_a_file_beside_says_how_weights_are_stored(tmp_path: Path) -> None:
    (tmp_path / "hf_quant_config.json").write_text('{"quantization": {"quant_algo": "NVFP4", "exclude_modules": []}}')
    assert counted(CONFIGS["Llama-3.1-8B"], tmp_path).native_precision == "fp4"
    assert counted({**CONFIGS["DeepSeek-V3"]}, tmp_path).native_precision == "fp8"  # the file itself says so


def test_int4_of_a_dense_model_without_its_attention(tmp_path: Path) -> None:
    found = counted({**CONFIGS["Llama-3.1-8B"], "quantization_config": INT4_EXPERTS}, tmp_path)
    assert found.native_precision == "fp4"
    assert found.expert_weights_gb == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JSON"),
        (b"[1, 2]", "wanted a JSON object, saw a list"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "no field 'model_type'"),
        (b'{"model_type": null}', "no field 'model_type'"),
        (b'"' + b"x" * 5_000_001 + b'"', "over 5000000 bytes"),
    ],
)
def test_a_file_that_is_no_configuration(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=message):
        count(read_hf_config(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"config\.json: No such file"):
        read_hf_config(tmp_path / "config.json")


@given(
    st.sampled_from(FAMILIES),
    st.dictionaries(
        st.sampled_from(sorted({key for config in CONFIGS.values() for key in config.get("text_config", config)})),
        st.one_of(
            st.none(), st.booleans(), st.integers(-5, 300), st.text(max_size=3), st.lists(st.integers(), max_size=2)
        ),
    ),
)
def test_any_fields_are_counted_or_refused(family: str, fields: dict[str, Any]) -> None:
    config = {**CONFIGS["DeepSeek-V3"], **CONFIGS["Qwen3.5-27B"]["text_config"], **fields, "model_type": family}
    try:
        found = count(HfConfig(Path("config.json"), config, config))
    except CatalogError:
        return
    assert 0 < found.active_params_count <= found.params_count
    assert found.kv_bytes_per_token >= 0
    assert all(size > 0 for size in found.weights_gb.values())
