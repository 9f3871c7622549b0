"""ModelSpec: the architecture of an open model, as far as memory, bandwidth and arithmetic depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from breakeven.facts.source import Source

Precision = Literal["bf16", "fp8", "fp4"]
"""How weights are stored; fp4 stands for every 4-bit format (MXFP4, NVFP4, INT4)."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Facts of one open model, read from its configuration."""

    name: str
    hf_id: str
    """Repository of the weights on Hugging Face."""
    params_count: float
    active_params_count: float
    """Parameters that take part in one token's arithmetic (equal to `params_count` for a dense model)."""
    layers_count: int
    hidden_size_count: int
    heads_count: int
    kv_heads_count: int
    head_dim_count: int
    experts_count: int
    """0: a dense model."""
    experts_per_token_count: int
    kv_bytes_per_token: float
    """KV cache of one token over all layers that grow, 16 bit, without the saving of sliding windows."""
    sliding_window_tokens: int
    """Window of the layers that attend locally; 0: none do."""
    sliding_layers_count: int
    """How many of the layers keep only the window."""
    context_tokens: int
    native_precision: Precision
    """Precision in which the maker publishes the weights."""
    weights_gb_by_precision: Mapping[str, float]
    """Size of the weights on the GPU; a precision that nobody publishes is absent."""
    source: Source
    expert_weights_gb_by_precision: Mapping[str, float] = field(default_factory=dict)
    """The part of the weights that sits in routed experts; empty for a dense model."""
    note: str = ""
    vocab_count: int = 0
    """Rows of the output embedding; 0: not known."""
    intermediate_size_count: int = 0
    """Width of the feed-forward part of a layer without routed experts; 0: there is no such layer."""
    expert_size_count: int = 0
    """Width of one routed expert; 0: a dense model."""
    latent_attention: bool = False
    """The cache is one latent per token and layer (DeepSeek's MLA), which tensor parallelism cannot split: every rank
    of a replica keeps a copy, unless attention is spread by data parallelism."""
    state_layers_count: int = 0
    """Layers with a state of fixed size in place of a growing cache (Gated DeltaNet); `kv_bytes_per_token` counts only
    the layers that grow."""
    state_gb: float = 0.0
    """State of one running sequence over all those layers."""
    sparse_attention_tokens: int = 0
    """Tokens that attention looks back on where an indexer picks them (DeepSeek-V3.2, GLM-5); 0: all. The indexer's
    key, 132 bytes per token and layer, is in `kv_bytes_per_token`."""
    fp8_block_scaled: bool = False
    """The FP8 weights carry a scale per block of 128 x 128 values (DeepSeek's recipe), which costs arithmetic; one
    scale per tensor or channel otherwise."""
    aliases: tuple[str, ...] = ()
    """Other names of the same architecture, beyond those that catalog/names.py derives by rule."""

    @property
    def is_moe(self) -> bool:
        """True for a mixture of experts."""
        return self.experts_count > 0

    def expert_weights_fraction(self, precision: str) -> float:
        """Share of the weights, by bytes, that sits in routed experts; 0 for a dense model."""
        expert_gb = self.expert_weights_gb_by_precision.get(precision, 0.0)
        return expert_gb / self.weights_gb_by_precision[precision]
