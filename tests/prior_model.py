"""A serving model that was fitted to nothing: every parameter at its prior, with invented errors."""

from __future__ import annotations

from datetime import date

import numpy as np

from breakeven.facts.source import Grade, Source
from breakeven.serving.prediction.corrections import Corrections
from breakeven.serving.prediction.first_token import FEATURES
from breakeven.serving.prediction.fitted_model import FittedModel
from breakeven.serving.prediction.parameters import ENGINES, PARAMETERS
from breakeven.serving.prediction.regime import HeldOutErrors, Nearness

_NONE = Corrections({}, {})


def prior_model() -> FittedModel:
    """Gives predictions of about the right size, from no measurement."""
    errors = HeldOutErrors(100, 0.1, 0.3, 0.01, 0.8, 1.25)
    kinds = [f"{near}|{kind}" for near in Nearness for kind in ("dense", "moe")]
    return FittedModel(
        values={each.name: each.typical for each in PARAMETERS},
        corrections=_NONE,
        first_token_weights=np.zeros(len(FEATURES) * (len(ENGINES) + 1)),
        first_token_corrections=_NONE,
        errors=dict.fromkeys((*kinds, "near_limit", "other_load"), errors),
        source=Source("priors alone", "tests", date(2026, 11, 25), Grade.GUESS),
        rows_count=0,
        latency_bound_ratios={"mlperf_server": 0.9, "mlperf_interactive": 0.6},
    )
