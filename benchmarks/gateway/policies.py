"""Policies of the benchmark: a task map, and a text scorer as large as a learnt one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save

RATES = {"model-0": 0.8, "model-1": 0.9}


def task_map(folder: Path) -> Path:
    """Each of 50 tasks has its model."""
    return _saved(folder, "task_map", None)


def prose(texts_count: int, characters_count: int) -> list[str]:
    """Texts in the words that the text scorer was made of, none like another."""
    import numpy as np

    sizes: Any = _sibling("routing_decision")
    vocabulary, weights = sizes.words_and_weights(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    words_count = characters_count // 3
    return [" ".join(rng.choice(vocabulary, words_count, p=weights))[:characters_count] for _ in range(texts_count)]


def text_scorer(folder: Path) -> Path:
    """Linear head and forest over the words of the prompt."""
    import numpy as np

    sizes: Any = _sibling("routing_decision")
    rng = np.random.default_rng(0)
    vocabulary, weights = sizes.words_and_weights(rng)
    bank = [" ".join(rng.choice(vocabulary, int(rng.integers(20, 180)), p=weights)) for _ in range(sizes.BANK_ROWS)]
    from dataclasses import replace

    from breakeven.routing.scorer import Novelty

    scorer = sizes.scorer_of_size(2, bank, rng)
    scorer = replace(scorer, neighbours=None, blend={"linear": 0.2, "forest": 0.8}, novelty=Novelty("terms", 0.99))
    return _saved(folder, "threshold", scorer)


def _saved(folder: Path, kind: Any, scorer: Any) -> Path:
    groups = [GroupChoice((f"task {at}",), f"model-{at % 2}", RATES) for at in range(49)]
    document = PolicyDocument(
        kind=kind,
        models=(PricedModel("model-0", usd_per_request=0.001), PricedModel("model-1", usd_per_request=0.002)),
        default_model="model-1",
        groups=(GroupChoice((), "model-1", RATES), GroupChoice(("faq",), "model-0", RATES), *groups),
        value_usd_per_success=0.05,
        scorer=scorer,
    )
    save(document, folder)
    return folder


def _sibling(name: str) -> Any:
    path = Path(__file__).parent.parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
