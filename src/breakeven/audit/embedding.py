"""Embedding: static embeddings of kept texts by model2vec, from a folder on disk; nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from breakeven.audit.mining import Embedder
from breakeven.errors import AuditError

if TYPE_CHECKING:
    from ibis import Table


def embedder(folder: Path, texts: Table) -> Embedder:
    """An `Embedder` for calls whose prompts were kept; raises AuditError when it cannot be had."""
    if not folder.is_dir():
        raise AuditError(
            f"{folder}: no such folder; wanted one with a model2vec model (config.json, model.safetensors)"
        )
    try:
        from model2vec import StaticModel
    except ImportError:
        raise AuditError("model2vec is not installed: pip install 'breakeven[embeddings]'") from None
    try:
        model = StaticModel.from_pretrained(folder)
    except Exception as error:
        raise AuditError(f"{folder}: not a model2vec model ({error})") from None
    if not int(texts.count().to_pyarrow().as_py()):
        raise AuditError("--embeddings needs the prompts: import them with --prompts redact or --prompts keep")

    def embed(record_ids: Sequence[str]) -> np.ndarray:
        chosen = texts.filter(texts.record_id.isin(list(record_ids))).select("record_id", "prompt")
        by_id = {row["record_id"]: row["prompt"] or "" for row in chosen.to_pyarrow().to_pylist()}
        return np.asarray(model.encode([by_id.get(each, "") for each in record_ids]), dtype=np.float64)

    return embed
