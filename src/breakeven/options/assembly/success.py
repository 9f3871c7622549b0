"""Success: how often an open model does the task, by the size of the model, until somebody measures it."""

from __future__ import annotations

from typing import Final

from breakeven.catalog.model import ModelSpec
from breakeven.facts.trace import Binder, Node

ANY_OPEN_MODEL: Final = "open_model_success_fraction"
MID_FROM_PARAMS_COUNT: Final = 14e9
LARGE_FROM_PARAMS_COUNT: Final = 40e9


def success_fact(model: ModelSpec) -> str:
    """Name of the Fact for the model's class: by total parameters, and above 40 billion by kind.

    Small: below 14 billion. Mid: up to 40 billion, mixtures of experts among them. Large: dense above. Moe: mixtures
    of experts above.
    """
    if model.params_count < MID_FROM_PARAMS_COUNT:
        return "small_model_success_fraction"
    if model.params_count <= LARGE_FROM_PARAMS_COUNT:
        return "mid_model_success_fraction"
    return "moe_model_success_fraction" if model.is_moe else "large_model_success_fraction"


def bind_open_model_success(binder: Binder, model: ModelSpec) -> Node:
    """Bind `success_fraction` of an Option that runs `model`.

    The scenario wins: `success_fraction` for every Option alike, then `open_model_success_fraction` for any open model.
    """
    if ANY_OPEN_MODEL in binder.scenario:
        return binder.rename("success_fraction", ANY_OPEN_MODEL, "any open model, as the scenario says")
    size = f"{model.params_count / 1e9:,.0f} billion parameters"
    kind = "mixture of experts" if model.is_moe else "dense"
    how = f"no outcome measured yet: assumed for its class ({model.name}: {size}, {kind})"
    return binder.rename("success_fraction", success_fact(model), how)
