"""Corrections: what public measurements say of one deployment beyond the physics, shrunk towards nothing.

Two levels: a model with one engine version and precision, wherever it runs; and one deployment of it. Each has a level,
a slope over the batch and a slope over the share of time that goes into prompts, all of ln(measured / predicted).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.catalog.model import ModelSpec
from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.deployment import Deployment

BATCH_CENTRE_COUNT: Final = 30.0
PREFILL_CENTRE_FRACTION: Final = 0.3
COVARIATE_MAX_RATIO: Final = 2.5
"""Slopes are not followed beyond this many standard steps."""
_BATCH_STEP: Final = 1.3
_PREFILL_STEP: Final = 0.25
Effects = Mapping[str, tuple[float, float, float]]
"""Label -> level, slope over the batch, slope over the share of prefill."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Effects by label; a label that nobody measured has none."""

    model_versions: Effects
    deployments: Effects

    def log_ratio(self, deployments: Sequence[Deployment], covariates: Floats) -> Floats:
        """ln(measured / predicted) that is known, shape ``(points,)``."""
        found = np.zeros(len(deployments))
        for i, each in enumerate(deployments):
            for label, effects in (
                (model_version_label(each), self.model_versions),
                (deployment_label(each), self.deployments),
            ):
                if label in effects:
                    found[i] += float(covariates[i] @ np.asarray(effects[label]))
        return found

    def knows(self, deployment: Deployment) -> bool:
        """Whether this very deployment was measured."""
        return deployment_label(deployment) in self.deployments


def covariates(batch_count: Floats, prefill_fraction: Floats) -> Floats:
    """Level 1, ln batch and share of prefill in standard steps; shape ``(points, 3)``."""
    batch = np.log(np.maximum(batch_count, 1) / BATCH_CENTRE_COUNT) / _BATCH_STEP
    prefill = (prefill_fraction - PREFILL_CENTRE_FRACTION) / _PREFILL_STEP
    kept = [np.clip(each, -COVARIATE_MAX_RATIO, COVARIATE_MAX_RATIO) for each in (batch, prefill)]
    return np.stack([np.ones_like(batch), *kept], axis=1)


def architecture(model: ModelSpec) -> str:
    """Models of one shape are one model to a GPU (DeepSeek-V3 and R1): parameters in billions, layers, width."""
    return f"{model.params_count / 1e9:.4g}B-{model.layers_count}x{model.hidden_size_count}"


def model_version_label(each: Deployment) -> str:
    """Model, engine, version and precision."""
    return "|".join((architecture(each.model), each.engine, each.engine_version, each.kind))


def deployment_label(each: Deployment) -> str:
    """What counts as one deployment: model, engine, version, precision, GPU, number of GPUs."""
    return "|".join((model_version_label(each), each.gpu.name, str(each.gpus_count)))
