"""Azure LLM inference traces (2023, 2024): one CSV row per request with time, context and generated tokens.

Source: github.com/Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md (CC-BY). Times have seven fraction
digits and no zone; no model, no user, no outcome.
"""

from __future__ import annotations

from breakeven.usage.importers.importer import Importer
from breakeven.usage.reading.head import Head

_COLUMNS = frozenset({"TIMESTAMP", "ContextTokens", "GeneratedTokens"})


def _confidence(head: Head) -> float:
    return 1.0 if head.names >= _COLUMNS else 0.0


IMPORTER = Importer(
    name="azure_llm_trace",
    title="Azure LLM inference trace (CSV)",
    shapes=frozenset({"csv"}),
    fields={
        "start_time": ("TIMESTAMP",),
        "input_tokens": ("ContextTokens",),
        "output_tokens": ("GeneratedTokens",),
    },
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    concludes="Requests with lengths and times. No model, so no spend; no cached tokens, latency, user or outcome.",
)
