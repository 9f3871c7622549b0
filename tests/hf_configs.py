"""Configurations of public models, as far as the counter reads them.

Architecture facts of the config.json files that aiconfigurator_core 0.12.0 (Apache-2.0) ships, of litgpt's
litgpt/config.py (Apache-2.0), and, where a comment says so, from memory; written by hand in a few fields each.
"""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def _dense(family: str, layers: int, hidden: int, heads: int, kv: int, wide: int, vocab: int, **more: Any) -> Config:
    return {
        "model_type": family,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "intermediate_size": wide,
        "vocab_size": vocab,
        "max_position_embeddings": 131072,
        **more,
    }


def _latent(layers: int, hidden: int, heads: int, vocab: int, experts: int, **more: Any) -> Config:
    return {
        "model_type": "deepseek_v3",
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "intermediate_size": 18432,
        "vocab_size": vocab,
        "max_position_embeddings": 163840,
        "q_lora_rank": 1536,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": experts,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 2048,
        "first_k_dense_replace": 3,
        "num_nextn_predict_layers": 1,
        **more,
    }


def _delta(family: str, layers: int, hidden: int, heads: int, kv: int, values: int, **more: Any) -> Config:
    text = {
        "model_type": f"{family}_text",
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "head_dim": 256,
        "vocab_size": 248320,
        "max_position_embeddings": 262144,
        "full_attention_interval": 4,
        "attn_output_gate": True,
        "linear_conv_kernel_dim": 4,
        "linear_num_key_heads": 16,
        "linear_key_head_dim": 128,
        "linear_num_value_heads": values,
        "linear_value_head_dim": 128,
        "mamba_ssm_dtype": "float32",
        **more,
    }
    return {"model_type": family, "tie_word_embeddings": False, "text_config": text}


def _qwen_moe(layers: int, hidden: int, heads: int, kv: int, experts: int, wide: int) -> Config:
    more = {"num_experts": experts, "num_experts_per_tok": 8, "moe_intermediate_size": wide, "head_dim": 128}
    return _dense(
        "qwen3_moe", layers, hidden, heads, kv, 6144, 151936, decoder_sparse_step=1, mlp_only_layers=[], **more
    )


def _mixtral(layers: int, hidden: int, heads: int, wide: int, context: int) -> Config:
    experts = {"num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None}
    return _dense("mixtral", layers, hidden, heads, 8, wide, 32000, **experts, max_position_embeddings=context)


def _gpt_oss(layers: int, experts: int) -> Config:
    return _dense(
        "gpt_oss",
        layers,
        2880,
        64,
        8,
        2880,
        201088,
        head_dim=64,
        attention_bias=True,
        num_local_experts=experts,
        num_experts_per_tok=4,
        sliding_window=128,
        layer_types=["sliding_attention", "full_attention"] * (layers // 2),
        quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
    )


def _llama4(experts: int, every: int, context: int) -> Config:
    text = _dense("llama4_text", 48, 5120, 40, 8, 8192, 202048, head_dim=128, max_position_embeddings=context)
    more = {"num_local_experts": experts, "num_experts_per_tok": 1, "interleave_moe_layer_step": every}
    return {"model_type": "llama4", "text_config": {**text, **more, "intermediate_size_mlp": 16384}}


FP8 = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
INT4_EXPERTS = {
    "quant_method": "compressed-tensors",
    "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 32}}},
    "ignore": ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*"],
}
_INDEXER = {"index_topk": 2048, "index_head_dim": 128}
_GLM_HEADS = {"qk_nope_head_dim": 192, "v_head_dim": 256, "q_lora_rank": 2048, "intermediate_size": 12288}
_GLM: Config = {"model_type": "glm_moe_dsa", **_GLM_HEADS, **_INDEXER, "index_n_heads": 32}
_LLAMA3 = {"rope_theta": 500000.0, "tie_word_embeddings": False}
_QWEN3 = {"head_dim": 128, "max_position_embeddings": 40960, "use_sliding_window": False, "sliding_window": None}

CONFIGS: dict[str, Config] = {
    "Llama-3.1-8B": _dense("llama", 32, 4096, 32, 8, 14336, 128256, **_LLAMA3),
    "Llama-3.1-70B": _dense("llama", 80, 8192, 64, 8, 28672, 128256, **_LLAMA3),
    "Llama-3.3-70B": _dense("llama", 80, 8192, 64, 8, 28672, 128256, **_LLAMA3),
    "Llama-3.1-405B": _dense("llama", 126, 16384, 128, 8, 53248, 128256, **_LLAMA3),
    "Llama-2-7B": _dense("llama", 32, 4096, 32, 32, 11008, 32000, max_position_embeddings=4096),
    "Llama-2-13B": _dense("llama", 40, 5120, 40, 40, 13824, 32000, max_position_embeddings=4096),
    "Llama-2-70B": _dense("llama", 80, 8192, 64, 8, 28672, 32000, max_position_embeddings=4096),
    "Mistral-7B-v0.3": _dense(
        "mistral", 32, 4096, 32, 8, 14336, 32768, sliding_window=None, max_position_embeddings=32768
    ),
    "Phi-4": _dense("phi3", 40, 5120, 40, 10, 17920, 100352, sliding_window=None, max_position_embeddings=16384),
    "Qwen3-8B": _dense("qwen3", 36, 4096, 32, 8, 12288, 151936, **_QWEN3),
    "Qwen3-14B": _dense("qwen3", 40, 5120, 40, 8, 17408, 151936, **_QWEN3),  # litgpt's config.py
    "Qwen3-32B": _dense("qwen3", 64, 5120, 64, 8, 25600, 151936, **_QWEN3),
    "Qwen2.5-7B": _dense("qwen2", 28, 3584, 28, 4, 18944, 152064),
    "Qwen2.5-14B": _dense("qwen2", 48, 5120, 40, 8, 13824, 152064),
    "Qwen2.5-32B": _dense("qwen2", 64, 5120, 40, 8, 27648, 152064),
    "Qwen2.5-72B": _dense("qwen2", 80, 8192, 64, 8, 29568, 152064),
    "Gemma-2-9B": _dense(
        "gemma2", 42, 3584, 16, 8, 14336, 256000, head_dim=256, sliding_window=4096, max_position_embeddings=8192
    ),
    "Gemma-2-27B": _dense(
        "gemma2", 46, 4608, 32, 16, 36864, 256000, head_dim=128, sliding_window=4096, max_position_embeddings=8192
    ),
    # Which fields Gemma 3's files leave out is from memory.
    "Gemma-3-12B": {
        "model_type": "gemma3",
        "text_config": {
            "model_type": "gemma3_text",
            "num_hidden_layers": 48,
            "hidden_size": 3840,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "intermediate_size": 15360,
            "sliding_window": 1024,
        },
    },
    "Gemma-3-27B": {
        "model_type": "gemma3",
        "text_config": {
            "model_type": "gemma3_text",
            "num_hidden_layers": 62,
            "hidden_size": 5376,
            "num_attention_heads": 32,
            "num_key_value_heads": 16,
            "head_dim": 128,
            "intermediate_size": 21504,
            "sliding_window": 1024,
        },
    },
    "Qwen3-30B-A3B": {**_qwen_moe(48, 2048, 32, 4, 128, 768), "max_position_embeddings": 40960},
    "Qwen3-235B-A22B": {**_qwen_moe(94, 4096, 64, 4, 128, 1536), "max_position_embeddings": 40960},
    "Qwen3-Coder-480B": {
        **_qwen_moe(62, 6144, 96, 8, 160, 2560),
        "shared_expert_intermediate_size": 0,
        "max_position_embeddings": 262144,
    },
    "Mixtral-8x7B": _mixtral(32, 4096, 32, 14336, 32768),
    "Mixtral-8x22B": _mixtral(56, 6144, 48, 16384, 65536),
    "gpt-oss-20b": _gpt_oss(24, 32),
    "gpt-oss-120b": _gpt_oss(36, 128),
    "MiniMax-M2.5": _dense(
        "minimax_m2",
        62,
        3072,
        48,
        8,
        1536,
        200064,
        head_dim=128,
        num_local_experts=256,
        num_experts_per_tok=8,
        use_qk_norm=True,
        shared_intermediate_size=0,
        max_position_embeddings=196608,
        quantization_config=FP8,
    ),
    "DeepSeek-V3": _latent(61, 7168, 128, 129280, 256, quantization_config=FP8),
    "DeepSeek-R1": _latent(61, 7168, 128, 129280, 256, quantization_config=FP8),
    "DeepSeek-V3.2": _latent(
        61, 7168, 128, 129280, 256, model_type="deepseek_v32", **_INDEXER, index_n_heads=64, quantization_config=FP8
    ),
    "Kimi-K2": _latent(
        61,
        7168,
        64,
        163840,
        384,
        model_type="kimi_k2",
        first_k_dense_replace=1,
        max_position_embeddings=131072,
        quantization_config=FP8,
    ),
    "Kimi-K2.5": {
        "model_type": "kimi_k25",
        "text_config": _latent(
            61,
            7168,
            64,
            163840,
            384,
            model_type="kimi_k2",
            first_k_dense_replace=1,
            max_position_embeddings=262144,
            quantization_config=INT4_EXPERTS,
        ),
    },
    "GLM-5": _latent(78, 6144, 64, 154880, 256, **_GLM, max_position_embeddings=202752),
    "GLM-5.2": _latent(
        78,
        6144,
        64,
        154880,
        256,
        **_GLM,
        max_position_embeddings=1048576,
        indexer_types=["full", "full"] + ["full", "shared", "shared", "shared"] * 19,
        mlp_layer_types=["dense"] * 3 + ["sparse"] * 75,
    ),
    "Qwen3.5-397B-A17B": _delta(
        "qwen3_5_moe",
        60,
        4096,
        32,
        2,
        64,
        num_experts=512,
        num_experts_per_tok=10,
        moe_intermediate_size=1024,
        shared_expert_intermediate_size=1024,
    ),
    "Qwen3.5-122B-A10B": _delta(
        "qwen3_5_moe",
        48,
        3072,
        32,
        2,
        64,
        num_experts=256,
        num_experts_per_tok=8,
        moe_intermediate_size=1024,
        shared_expert_intermediate_size=1024,
    ),
    "Qwen3.5-35B-A3B": _delta(
        "qwen3_5_moe",
        40,
        2048,
        16,
        2,
        32,
        num_experts=256,
        num_experts_per_tok=8,
        moe_intermediate_size=512,
        shared_expert_intermediate_size=512,
    ),
    "Qwen3.5-27B": _delta("qwen3_5", 64, 5120, 24, 4, 48, intermediate_size=17408),
    "Llama-4-Scout": _llama4(16, 1, 10485760),
    "Llama-4-Maverick": _llama4(128, 2, 1048576),
}
"""Entry of the catalogue -> configuration."""

# The three below have no entry; their published sizes are from memory.
PUBLISHED_B: dict[str, tuple[Config, float, float]] = {
    "Qwen3-Next-80B-A3B": (
        {
            "model_type": "qwen3_next",
            "num_hidden_layers": 48,
            "hidden_size": 2048,
            "num_attention_heads": 16,
            "num_key_value_heads": 2,
            "head_dim": 256,
            "vocab_size": 151936,
            "max_position_embeddings": 262144,
            "full_attention_interval": 4,
            "linear_conv_kernel_dim": 4,
            "linear_num_key_heads": 16,
            "linear_key_head_dim": 128,
            "linear_num_value_heads": 32,
            "linear_value_head_dim": 128,
            "num_experts": 512,
            "num_experts_per_tok": 10,
            "moe_intermediate_size": 512,
            "shared_expert_intermediate_size": 512,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        },
        80.0,
        3.0,
    ),
    "GLM-4.5-Air": (
        _dense(
            "glm4_moe",
            46,
            4096,
            96,
            8,
            10944,
            151552,
            head_dim=128,
            attention_bias=True,
            n_routed_experts=128,
            n_shared_experts=1,
            num_experts_per_tok=8,
            moe_intermediate_size=1408,
            first_k_dense_replace=1,
        ),
        106.0,
        12.0,
    ),
    "DeepSeek-V2-Lite": (
        {
            **_latent(27, 2048, 16, 102400, 64, model_type="deepseek_v2", q_lora_rank=None),
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "first_k_dense_replace": 1,
        },
        15.7,
        2.4,
    ),
}
"""Name -> configuration, published billions of parameters, and of active ones."""
