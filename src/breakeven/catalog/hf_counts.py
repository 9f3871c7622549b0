"""Counts of a configuration: parameters, cache per token and size of the weights of the model that it describes.

One pass over the layers, each with its attention and its feed-forward part. Layers that predict further tokens, and
towers for images and sound, are not counted. A family whose layers are not known here is refused, never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.hf_config import NVFP4_BITS, HfConfig, Quantisation, quantisation
from breakeven.catalog.model import Precision
from breakeven.errors import CatalogError
from breakeven.units import BYTES_PER_GB

_BITS_PER_BYTE: Final = 8.0
_CACHE_BYTES: Final = 2.0
"""A cached value, 16 bit."""
_INDEX_SCALE_BYTES: Final = 4.0
"""Scale of an indexer's key, which engines keep in FP8."""
_LATENT: Final = ("deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "glm_moe_dsa")
_GATED_DELTA: Final = ("qwen3_next", "qwen3_5", "qwen3_5_moe")
_GROUPED: Final = (
    "llama",
    "mistral",
    "mixtral",
    "phi3",
    "qwen2",
    "qwen3",
    "qwen3_moe",
    "qwen3_vl",
    "qwen3_vl_moe",
    "gemma2",
    "gemma3",
    "gpt_oss",
    "glm4_moe",
    "minimax_m2",
    "llama4",
)
FAMILIES: Final = tuple(sorted((*_LATENT, *_GATED_DELTA, *_GROUPED)))
"""Values of `model_type` that can be read."""
_TIED_UNLESS_SAID: Final = ("gemma2", "gemma3")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a configuration comes down to; fields as in ModelSpec."""

    params_count: float
    active_params_count: float
    expert_params_count: float
    """Parameters in routed experts."""
    embedding_params_count: float
    """Input and output embeddings, which quantised checkpoints keep at 16 bit."""
    layers_count: int
    hidden_size_count: int
    heads_count: int
    kv_heads_count: int
    head_dim_count: int
    experts_count: int
    experts_per_token_count: int
    expert_size_count: int
    intermediate_size_count: int
    vocab_count: int
    kv_bytes_per_token: float
    latent_attention: bool
    state_layers_count: int
    state_gb: float
    sparse_attention_tokens: int
    fp8_block_scaled: bool
    sliding_window_tokens: int
    sliding_layers_count: int
    context_tokens: int
    native_precision: Precision
    weights_gb: Mapping[str, float]
    expert_weights_gb: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Experts:
    """The routed experts of a model."""

    count: int = 0
    per_token_count: int = 0
    size_count: int = 0
    layers: frozenset[int] = frozenset()
    shared_size_count: int = 0
    """Width of the experts that every token passes."""
    has_correction: bool = False
    has_shared_gate: bool = False
    has_bias: bool = False


def count(config: HfConfig) -> Counts:
    """Count the model of a configuration; raises CatalogError for an unknown family or a missing field."""
    if config.family not in FAMILIES:
        raise CatalogError(
            f"{config.path}: model_type: saw '{config.family}', whose layers are not known here; known:"
            f" {', '.join(FAMILIES)}. Write the entry by hand, or ask for the family to be added."
        )
    layers, hidden, vocab = (config.positive(name) for name in ("num_hidden_layers", "hidden_size", "vocab_size"))
    experts = _experts(config)
    _refuse_impossible(config, experts)
    linear = _state_layers(config)
    sliding = _sliding_layers(config)
    tied = config.flag("tie_word_embeddings", config.family in _TIED_UNLESS_SAID)
    embedding = vocab * hidden * (1 if tied else 2)
    attention = sum(_gated_delta(config) if i in linear else _attention(config, i) for i in range(layers))
    norms = hidden * (1 + layers * (4 if config.family in ("gemma2", "gemma3") else 2))
    dense = _dense_size(config)
    feed = sum(_shared_part(hidden, experts) if i in experts.layers else 3 * hidden * dense for i in range(layers))
    one_expert = 3 * hidden * experts.size_count + (2 * experts.size_count + hidden) * experts.has_bias
    expert_params = len(experts.layers) * experts.count * one_expert
    active_experts = len(experts.layers) * experts.per_token_count * one_expert
    shared = embedding + norms + attention + feed
    looked_up = vocab * hidden if config.family == "gpt_oss" and not tied else 0
    sizes, expert_sizes, native = _weights(shared + expert_params, expert_params, embedding, quantisation(config))
    heads = config.positive("num_attention_heads")
    return Counts(
        params_count=float(shared + expert_params),
        active_params_count=float(shared + active_experts - looked_up),
        expert_params_count=float(expert_params),
        embedding_params_count=float(embedding),
        layers_count=layers,
        hidden_size_count=hidden,
        heads_count=heads,
        kv_heads_count=_kv_heads(config),
        head_dim_count=_head_dim(config),
        experts_count=experts.count,
        experts_per_token_count=experts.per_token_count,
        expert_size_count=experts.size_count,
        intermediate_size_count=dense,
        vocab_count=vocab,
        kv_bytes_per_token=_kv_bytes(config, layers - len(linear)),
        latent_attention=config.family in _LATENT,
        state_layers_count=len(linear),
        state_gb=len(linear) * _state_bytes(config) / BYTES_PER_GB if linear else 0.0,
        sparse_attention_tokens=config.whole("index_topk", 0) if config.family in _LATENT else 0,
        fp8_block_scaled=_is_block_scaled(config),
        sliding_window_tokens=config.positive("sliding_window") if sliding else 0,
        sliding_layers_count=sliding,
        context_tokens=config.positive("max_position_embeddings"),
        native_precision=native,
        weights_gb=sizes,
        expert_weights_gb=expert_sizes,
    )


def _is_block_scaled(config: HfConfig) -> bool:
    """Whether FP8 weights are stored with a scale per block."""
    stored = config.fields.get("quantization_config") or config.outer.get("quantization_config") or {}
    return bool(stored.get("weight_block_size"))


def _weights(
    params: int, expert: int, embedding: int, stored: Quantisation | None
) -> tuple[dict[str, float], dict[str, float], Precision]:
    """Sizes in GB: as stored, and in the narrower precisions by the rule of the catalogue (see models.yaml)."""
    native: Precision = stored.precision if stored else "bf16"
    bits = {"bf16": 16.0, "fp8": 8.0, "fp4": NVFP4_BITS}
    if stored:
        bits[native] = stored.bits_per_weight_ratio
    sizes, expert_sizes = {}, {}
    for precision in list(bits)[list(bits).index(native) :]:
        each = bits[precision] / _BITS_PER_BYTE / BYTES_PER_GB
        wide = 2.0 / BYTES_PER_GB
        only_experts = stored is not None and stored.experts_only and precision == native
        kept = params - expert if only_experts and expert else embedding
        sizes[precision] = kept * wide + (params - kept) * each
        expert_sizes[precision] = expert * each
    return sizes, expert_sizes if expert else {}, native


def _attention(config: HfConfig, layer: int) -> int:
    return _latent_attention(config, layer) if config.family in _LATENT else _grouped_attention(config)


def _grouped_attention(config: HfConfig) -> int:
    """Grouped-query attention (Ainslie et al., arXiv 2305.13245) of one layer."""
    hidden, heads = config.positive("hidden_size"), config.positive("num_attention_heads")
    kv_heads, size, family = _kv_heads(config), _head_dim(config), config.family
    queries, keys = heads * size, kv_heads * size
    is_gated = family in _GATED_DELTA and config.flag("attn_output_gate", True)
    params = hidden * (queries * (2 if is_gated else 1) + 2 * keys) + queries * hidden
    biased = config.flag("attention_bias", config.flag("qkv_bias", family == "qwen2"))
    if biased:
        params += queries + 2 * keys + (0 if family in ("qwen2", "glm4_moe") else hidden)
    if family == "gpt_oss":
        params += heads  # one sink per head
    if family == "minimax_m2" and config.flag("use_qk_norm", True):
        params += queries + keys
    normed = family in ("qwen3", "qwen3_moe", "qwen3_vl", "qwen3_vl_moe", "gemma3", *_GATED_DELTA)
    if normed or (family == "glm4_moe" and config.flag("use_qk_norm", False)):
        params += 2 * size
    return params


def _latent_attention(config: HfConfig, layer: int) -> int:
    """Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434) of one layer, with its indexer where it has one."""
    hidden, heads = config.positive("hidden_size"), config.positive("num_attention_heads")
    nope, rope, value = (config.positive(f"{each}_head_dim") for each in ("qk_nope", "qk_rope", "v"))
    latent, narrow = config.positive("kv_lora_rank"), config.whole("q_lora_rank", 0)
    queries = heads * (nope + rope)
    params = hidden * narrow + narrow + narrow * queries if narrow else hidden * queries
    params += hidden * (latent + rope) + latent + latent * heads * (nope + value) + heads * value * hidden
    kinds = config.words("indexer_types")
    if config.whole("index_topk", 0) and (kinds is None or kinds[layer] == "full"):
        index_heads, index_size = config.positive("index_n_heads"), config.positive("index_head_dim")
        params += narrow * index_heads * index_size + hidden * (index_size + index_heads) + 2 * index_size
    return params


def _gated_delta(config: HfConfig) -> int:
    """Linear attention by Gated DeltaNet (Yang et al., arXiv 2412.06464) of one layer."""
    hidden, heads = config.positive("hidden_size"), config.positive("linear_num_value_heads")
    value, mixed = _delta_sizes(config)
    projections = hidden * (mixed + value + 2 * heads) + value * hidden
    return projections + mixed * config.positive("linear_conv_kernel_dim") + 2 * heads + value // heads


def _delta_sizes(config: HfConfig) -> tuple[int, int]:
    """Widths of the values, and of the queries, keys and values that the convolution mixes."""
    key = config.positive("linear_num_key_heads") * config.positive("linear_key_head_dim")
    value = config.positive("linear_num_value_heads") * config.positive("linear_value_head_dim")
    return value, 2 * key + value


def _state_bytes(config: HfConfig) -> float:
    """State of one sequence in one layer: a matrix per head, and what the convolution looks back on."""
    value, mixed = _delta_sizes(config)
    wide = 4.0 if config.fields.get("mamba_ssm_dtype") == "float32" else 2.0
    matrix = value * config.positive("linear_key_head_dim") * wide
    return matrix + mixed * (config.positive("linear_conv_kernel_dim") - 1) * _CACHE_BYTES


def _state_layers(config: HfConfig) -> frozenset[int]:
    if config.family not in _GATED_DELTA:
        return frozenset()
    kinds = config.words("layer_types")
    if kinds is None:
        every = config.positive("full_attention_interval")
        return frozenset(i for i in range(config.positive("num_hidden_layers")) if (i + 1) % every)
    return frozenset(i for i, kind in enumerate(kinds) if kind == "linear_attention")


def _sliding_layers(config: HfConfig) -> int:
    """Layers that keep only a window of the cache."""
    layers, kinds, family = config.positive("num_hidden_layers"), config.words("layer_types"), config.family
    if kinds is not None:
        return kinds.count("sliding_attention")
    if family == "gpt_oss":
        config.required("layer_types")
    if config.fields.get("sliding_window") is None:
        return 0
    if family == "gemma2":
        return (layers + 1) // 2
    if family == "gemma3":
        every = config.positive("sliding_window_pattern")
        return sum(1 for i in range(layers) if (i + 1) % every)
    if config.positive("sliding_window") >= config.positive("max_position_embeddings"):
        return 0
    if family.startswith("qwen"):
        is_used = config.flag("use_sliding_window", False)
        return max(layers - config.whole("max_window_layers"), 0) if is_used else 0
    return layers if family in ("mistral", "mixtral", "phi3") else 0


def _kv_bytes(config: HfConfig, growing_layers_count: int) -> float:
    if config.family not in _LATENT:
        return 2 * growing_layers_count * _kv_heads(config) * _head_dim(config) * _CACHE_BYTES
    latent = growing_layers_count * (config.positive("kv_lora_rank") + config.positive("qk_rope_head_dim"))
    if not config.whole("index_topk", 0):
        return latent * _CACHE_BYTES
    kinds = config.words("indexer_types")
    indexed = growing_layers_count if kinds is None else kinds.count("full")
    return latent * _CACHE_BYTES + indexed * (config.positive("index_head_dim") + _INDEX_SCALE_BYTES)


def _refuse_impossible(config: HfConfig, experts: _Experts) -> None:
    """Fields that contradict each other would count a model that cannot be."""
    if experts.per_token_count > experts.count:
        raise CatalogError(
            f"{config.path}: num_experts_per_tok: saw {experts.per_token_count}, wanted at most the"
            f" {experts.count} experts of a layer."
        )
    heads, kv_heads = config.positive("num_attention_heads"), _kv_heads(config)
    if heads % kv_heads:
        raise CatalogError(
            f"{config.path}: num_key_value_heads: saw {kv_heads}, wanted a divisor of the {heads} attention heads."
        )


def _kv_heads(config: HfConfig) -> int:
    return config.positive("num_key_value_heads", config.positive("num_attention_heads"))


def _head_dim(config: HfConfig) -> int:
    """For latent attention: what a query is compared in."""
    if config.family in _LATENT:
        return config.positive("qk_nope_head_dim") + config.positive("qk_rope_head_dim")
    if config.family in ("gemma2", "gemma3", "gpt_oss", "minimax_m2", *_GATED_DELTA):
        return config.positive("head_dim")
    hidden, heads = config.positive("hidden_size"), config.positive("num_attention_heads")
    return config.positive("head_dim", hidden // heads)


def _dense_size(config: HfConfig) -> int:
    """Width of the feed-forward part of a layer without routed experts; 0: there is no such layer."""
    layers = config.positive("num_hidden_layers")
    if len(_experts(config).layers) == layers:
        return 0
    return config.positive("intermediate_size_mlp" if config.family == "llama4" else "intermediate_size")


def _experts(config: HfConfig) -> _Experts:
    """The routed experts by family; which layers have them."""
    family, layers = config.family, range(config.positive("num_hidden_layers"))
    if family in ("mixtral", "gpt_oss", "minimax_m2"):
        return _Experts(
            config.positive("num_local_experts"),
            config.positive("num_experts_per_tok"),
            config.positive("intermediate_size"),
            frozenset(layers),
            config.whole("shared_intermediate_size", 0),
            has_correction=family == "minimax_m2" or family == "gpt_oss",
            has_bias=family == "gpt_oss",
        )
    if family == "llama4":
        step = config.positive("interleave_moe_layer_step")
        width = config.positive("intermediate_size")
        chosen = frozenset(i for i in layers if (i + 1) % step == 0)
        return _Experts(
            config.positive("num_local_experts"), config.positive("num_experts_per_tok"), width, chosen, width
        )
    if family in ("qwen3_moe", "qwen3_vl_moe", "qwen3_next", "qwen3_5_moe"):
        return _qwen_experts(config, layers)
    if family in (*_LATENT, "glm4_moe"):
        return _deepseek_experts(config, layers)
    return _Experts()


def _qwen_experts(config: HfConfig, layers: range) -> _Experts:
    dense = config.fields.get("mlp_only_layers") or []
    step = config.positive("decoder_sparse_step", 1)
    shared = config.whole("shared_expert_intermediate_size", 0)
    return _Experts(
        config.positive("num_experts"),
        config.positive("num_experts_per_tok"),
        config.positive("moe_intermediate_size"),
        frozenset(i for i in layers if i not in dense and (i + 1) % step == 0),
        shared,
        has_shared_gate=shared > 0,
    )


def _deepseek_experts(config: HfConfig, layers: range) -> _Experts:
    width = config.positive("moe_intermediate_size")
    first, every = config.whole("first_k_dense_replace"), config.positive("moe_layer_freq", 1)
    kinds = config.words("mlp_layer_types")
    chosen = frozenset(i for i in layers if i >= first and i % every == 0)
    if kinds is not None:
        chosen = frozenset(i for i, kind in enumerate(kinds) if kind == "sparse")
    return _Experts(
        config.positive("n_routed_experts"),
        config.positive("num_experts_per_tok"),
        width,
        chosen,
        config.whole("n_shared_experts", 0) * width,
        has_correction=config.family != "deepseek_v2",
    )


def _shared_part(hidden: int, experts: _Experts) -> int:
    """What every token passes in a layer with routed experts: the router and the shared expert."""
    router = hidden * experts.count + experts.count * experts.has_correction
    return router + 3 * hidden * experts.shared_size_count + hidden * experts.has_shared_gate
