"""Quirks: the habits of each vendor: where it is, how it wants its key, what it does not know, how it reports usage.

`docs/reference/upstreams.md` shows this table with its sources. A vendor that is not listed is taken as `openai`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from breakeven.gateway.upstream import Dialect

AuthStyle = Literal["bearer", "api-key", "x-api-key"]
UsageMode = Literal["ask", "always"]
"""`ask`: a stream tells its usage when `stream_options.include_usage` is sent; `always`: it does so unasked."""

ANTHROPIC_VERSION: Final = b"2023-06-01"


@dataclass(frozen=True, slots=True)
class Quirks:
    """One vendor."""

    name: str
    title: str
    base_url: str
    """As its clients are told to set it; capitals stand for what a user fills in."""
    hosts: tuple[str, ...] = ()
    """Endings of its host names, by which a base URL is recognised."""
    dialect: Dialect = "openai"
    auth: AuthStyle = "bearer"
    usage: UsageMode = "ask"
    dropped: frozenset[str] = frozenset()
    """Fields at the top of a chat body that it answers with 400, and that do not change what is asked for."""
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Fields that it knows by another name."""
    drops_message_names: bool = False
    """It refuses `name` in messages."""
    has_responses: bool = True
    """It knows `/responses`."""
    limit_name: str = "max_tokens"
    """What the limit of output tokens is called in chats that are translated."""
    extras: frozenset[str] = frozenset()
    """Fields beyond OpenAI's that translated chats may hold: `top_k`, `reasoning_content`."""
    note: str = ""


_LISTED: Final = (
    Quirks(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        ("api.openai.com",),
        limit_name="max_completion_tokens",
        note="Usage comes in a chunk of its own before `[DONE]`, and not at all when the stream is cut.",
    ),
    Quirks(
        "azure",
        "Azure OpenAI (v1)",
        "https://RESOURCE.openai.azure.com/openai/v1",
        ("openai.azure.com", "services.ai.azure.com"),
        auth="api-key",
        limit_name="max_completion_tokens",
        note="`model` is the name of the deployment.",
    ),
    Quirks(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        ("api.anthropic.com",),
        dialect="anthropic",
        auth="x-api-key",
        usage="always",
        note="Spoken to natively; its OpenAI-compatible endpoint lacks caching and is not meant for production.",
    ),
    Quirks(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com",
        ("api.deepseek.com",),
        has_responses=False,
        extras=frozenset(("reasoning_content",)),
        note="Cache in `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`; 402 when the balance is spent.",
    ),
    Quirks(
        "siliconflow",
        "SiliconFlow",
        "https://api.siliconflow.com/v1",
        ("api.siliconflow.com", "api.siliconflow.cn"),
        has_responses=False,
        note="`max_tokens` does not count reasoning; errors are flat: `{code, message, data}`.",
    ),
    Quirks(
        "fireworks",
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        ("api.fireworks.ai",),
        usage="always",
        note="Usage in the final chunk, unasked. Models are called `accounts/fireworks/models/...`.",
    ),
    Quirks("together", "Together", "https://api.together.ai/v1", ("api.together.ai", "api.together.xyz")),
    Quirks(
        "deepinfra",
        "DeepInfra",
        "https://api.deepinfra.com/v1/openai",
        ("api.deepinfra.com",),
        has_responses=False,
        note="The path does not end in `/v1`.",
    ),
    Quirks(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        ("api.groq.com",),
        dropped=frozenset(("logprobs", "top_logprobs", "logit_bias")),
        drops_message_names=True,
        note="Answers 400 to log probabilities, `logit_bias`, names in messages, and `n` above 1.",
    ),
    Quirks(
        "huggingface",
        "Hugging Face router",
        "https://router.huggingface.co/v1",
        ("router.huggingface.co",),
        note="Chat only.",
    ),
    Quirks(
        "ollama",
        "Ollama",
        "http://localhost:11434/v1",
        ("ollama.com",),
        note="A key is ignored; a subset of the fields is known.",
    ),
    Quirks(
        "vllm",
        "vLLM",
        "http://localhost:8000/v1",
        extras=frozenset(("top_k", "reasoning_content")),
        note="A key is asked only where it was started with one.",
    ),
    Quirks(
        "llama.cpp",
        "llama.cpp server",
        "http://localhost:8080/v1",
        extras=frozenset(("top_k", "reasoning_content")),
        note="`code` of an error is a number.",
    ),
    Quirks(
        "gemini",
        "Gemini's OpenAI-compatible endpoint",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        ("generativelanguage.googleapis.com",),
        dropped=frozenset(("logit_bias", "user", "metadata", "store")),
        has_responses=False,
        note="Refuses unknown fields; errors come as a list; tool calls in streams may lack their index.",
    ),
    Quirks(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        ("api.mistral.ai",),
        usage="always",
        dropped=frozenset(("user", "logit_bias", "logprobs", "top_logprobs")),
        renamed=MappingProxyType({"seed": "random_seed"}),
        has_responses=False,
        note="Refuses unknown fields; usage in the final chunk, unasked.",
    ),
    Quirks(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        ("openrouter.ai",),
        usage="always",
        note="Usage always comes; errors after the start come as an event with `error`.",
    ),
)
QUIRKS: Final[Mapping[str, Quirks]] = MappingProxyType({each.name: each for each in _LISTED})
"""Name -> vendor."""


def quirks_of(name: str) -> Quirks:
    """The vendor of that name; an unknown one is taken as OpenAI."""
    return QUIRKS.get(name) or QUIRKS["openai"]


def recognised(host: str) -> Quirks:
    """The vendor that a host name belongs to.

    >>> recognised("my-company.openai.azure.com").name
    'azure'
    >>> recognised("gpu-3.internal").name
    'openai'
    """
    host = host.lower().rstrip(".")
    return next(
        (each for each in _LISTED if any(host == end or host.endswith("." + end) for end in each.hosts)),
        QUIRKS["openai"],
    )


def auth_headers(quirks: Quirks, key: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that carry a vendor's key.

    >>> auth_headers(QUIRKS["azure"], "k")
    ((b'api-key', b'k'),)
    """
    if quirks.auth == "bearer":
        return ((b"authorization", b"Bearer " + key.encode()),)
    return ((quirks.auth.encode(), key.encode()),)
