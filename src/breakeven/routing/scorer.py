"""Scorer: predicted success of each model on one prompt: heads blended, calibrated, and silent on what is new.

The prediction is the weighted mean of the heads' probabilities, put through each model's calibration, and kept within
[0.001, 0.999]. `novelty` says how unlike the training prompts a prompt is; above a threshold the policy stays with its
default model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from breakeven.routing.features import PromptFeatures, prompt_features
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import (
    Floats,
    GroupHead,
    Head,
    LinearHead,
    NeighboursHead,
    Seen,
    logit,
    within,
)
from breakeven.routing.term_weights import TermWeights

NoveltyKind = Literal["bank", "terms"]


@dataclass(frozen=True, slots=True)
class Novelty:
    """When a prompt is too new to be judged."""

    kind: NoveltyKind
    """`bank`: 1 - the greatest similarity to a row of the bank; `terms`: share of terms that are not known."""
    max_fraction: float
    """Above it the default model takes the request."""
    max_log_characters_ratio: float | None = None
    """log(1 + length) of the longest prompt that the policy may judge."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Isotonic steps from a blended score to a probability, for each model; shape (models, knots), x ascending."""

    x: Floats
    y: Floats

    def apply(self, scores: Floats) -> Floats:
        """Calibrated probabilities, linear between knots, flat outside."""
        return np.array(
            [np.interp(score, x, y) for score, x, y in zip(scores, self.x, self.y, strict=True)], dtype=np.float64
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a scorer says of one prompt."""

    success: Floats
    """Of each model, within [0.001, 0.999]."""
    novel: str
    """Why the prompt is too new to be judged, "" where it is not."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Heads and what joins them. At least one head; weights in `blend` are by head name and need not sum to 1."""

    models: tuple[str, ...]
    """The order of every array's models."""
    terms: TermWeights
    blend: dict[str, float]
    """`linear`, `neighbours`, `forest`, `group` -> weight."""
    linear: LinearHead | None = None
    neighbours: NeighboursHead | None = None
    forest: ForestHead | None = None
    calibration: Calibration | None = None
    novelty: Novelty | None = None

    @property
    def holds_training_rows(self) -> bool:
        """Whether rows of the training file can be read back from it."""
        return self.neighbours is not None

    def heads(self) -> dict[str, Head]:
        """The heads that have a weight."""
        known: dict[str, Head | None] = {
            "linear": self.linear,
            "neighbours": self.neighbours,
            "forest": self.forest,
            "group": GroupHead(),
        }
        return {name: head for name, head in known.items() if head is not None and self.blend.get(name, 0.0) > 0}

    def see(self, features: PromptFeatures, group_rates: Floats) -> Seen:
        """What the heads look at."""
        terms = self.terms.weigh(features.terms)
        similarity = None if self.neighbours is None else self.neighbours.similarities(terms)
        return Seen(features.surface, terms, group_rates, logit(group_rates), similarity)

    def predicted_success(self, prompt: str, group_rates: Floats) -> Floats:
        """Success fraction of each model, given its rate in the prompt's group."""
        return self.blended(self.see(prompt_features(prompt, self.terms.bits), group_rates))

    def predict(self, features: Sequence[PromptFeatures], group_rates: Floats) -> Floats:
        """The same for many prompts; shapes (prompts, models) of rates and result."""
        rows = [self.blended(self.see(each, rates)) for each, rates in zip(features, group_rates, strict=True)]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.models))

    def judge(self, prompt: str, group_rates: Floats) -> Judgement:
        """Success, and whether the prompt is too new for it to count."""
        seen = self.see(prompt_features(prompt, self.terms.bits), group_rates)
        return Judgement(self.blended(seen), self._novel(seen))

    def blended(self, seen: Seen) -> Floats:
        """The heads' probabilities, joined and calibrated."""
        total, mean = 0.0, np.zeros(len(self.models))
        for name, head in self.heads().items():
            weight = self.blend[name]
            mean += weight * head.success(seen)
            total += weight
        score = mean / total if total > 0 else seen.rates
        if self.calibration is not None:
            score = self.calibration.apply(score)
        return within(score)

    def novelty_fraction(self, seen: Seen) -> float:
        """How new a prompt is: 0 as known, 1 unlike anything."""
        if seen.similarity is not None and self.novelty is not None and self.novelty.kind == "bank":
            return float(1.0 - min(1.0, seen.similarity.max(initial=0.0)))
        return seen.terms.unknown_fraction

    def _novel(self, seen: Seen) -> str:
        if self.novelty is None:
            return ""
        longest = self.novelty.max_log_characters_ratio
        if longest is not None and seen.surface[0] > longest:
            return "longer than any prompt learnt from"
        if self.novelty_fraction(seen) > self.novelty.max_fraction:
            return "novel prompt"
        return ""
