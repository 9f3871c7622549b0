"""Scorer: predicted success of each model on one prompt: heads blended, calibrated, and silent on what is new.

The prediction is the weighted mean of the heads' probabilities, put through each model's calibration, and kept within
[0.001, 0.999]. For a prompt of a group that was never seen a part of its residual is added: by how much prompts like it
were harder or easier than their own groups. `novelty` says how unlike the training prompts a prompt is; above a
threshold the policy stays with its default model.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from breakeven.routing.features import PromptFeatures, prompt_features
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import (
    SMALLEST_FRACTION,
    Floats,
    GroupHead,
    Head,
    LinearHead,
    NeighboursHead,
    Seen,
    logit,
)
from breakeven.routing.term_weights import TermWeights

NoveltyKind = Literal["bank", "terms"]
RESIDUAL_PART: Final = 0.5
"""Of the residual, that is added for groups that were not seen."""


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
    _knots: tuple[tuple[list[float], list[float]], ...] = field(init=False, repr=False, compare=False)
    """Of each model, as Python's numbers: one look-up in numpy costs more than all of it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_knots", tuple(zip(self.x.tolist(), self.y.tolist(), strict=True)))

    def apply(self, scores: Sequence[float]) -> list[float]:
        """Calibrated probabilities, linear between knots, flat outside.

        >>> Calibration(np.array([[0.0, 1.0]]), np.array([[0.2, 0.6]])).apply([0.25])
        [0.3]
        """
        return [_between(score, x, y) for score, (x, y) in zip(scores, self._knots, strict=True)]


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
    residual: ForestHead | None = None
    """Of requests whose group was not seen: success less their group's rate, -1 to 1, as `RESIDUAL_PART` counts it. It
    looks at what `forest` looks at, and never at the rates."""
    _weighted: tuple[tuple[float, Head], ...] = field(init=False, repr=False, compare=False)
    """The heads, each with its weight."""

    def __post_init__(self) -> None:
        weighted = tuple((self.blend[name], head) for name, head in self.heads().items())
        object.__setattr__(self, "_weighted", weighted)

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

    def see(self, features: PromptFeatures, group_rates: Floats, group_logits: Floats | None = None) -> Seen:
        """What the heads look at; whoever keeps the logits of the rates spares their computing."""
        terms = self.terms.weigh(features.terms)
        similarity = None if self.neighbours is None else self.neighbours.similarities(terms)
        logits = logit(group_rates) if group_logits is None else group_logits
        return Seen(features.surface, terms, group_rates, logits, similarity)

    def predicted_success(self, prompt: str, group_rates: Floats, *, is_new: bool = False) -> Floats:
        """Success fraction of each model, given its rate in the prompt's group; `is_new`: in the nearest known one."""
        return self.blended(self.see(prompt_features(prompt, self.terms.bits), group_rates), is_new=is_new)

    def predict(self, features: Sequence[PromptFeatures], group_rates: Floats) -> Floats:
        """The same for many prompts; shapes (prompts, models) of rates and result."""
        rows = [self.blended(self.see(each, rates)) for each, rates in zip(features, group_rates, strict=True)]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.models))

    def judge(
        self, prompt: str, group_rates: Floats, group_logits: Floats | None = None, *, is_new: bool = False
    ) -> Judgement:
        """Success, and whether the prompt is too new for it to count; `is_new`: its group was never seen."""
        seen = self.see(prompt_features(prompt, self.terms.bits), group_rates, group_logits)
        return Judgement(self.blended(seen, is_new=is_new), self._novel(seen))

    def blended(self, seen: Seen, *, is_new: bool = False) -> Floats:
        """The heads' probabilities, joined and calibrated."""
        # of a few models, so in Python's numbers
        total, sums = 0.0, [0.0] * len(self.models)
        for weight, head in self._weighted:
            sums = [mean + weight * success for mean, success in zip(sums, head.success(seen).tolist(), strict=True)]
            total += weight
        scores: list[float] = [each / total for each in sums] if total > 0 else seen.rates.tolist()
        if self.calibration is not None:
            scores = self.calibration.apply(scores)
        if is_new and self.residual is not None:
            more = self.residual.success(seen).tolist()
            scores = [_within(score) + RESIDUAL_PART * each for score, each in zip(scores, more, strict=True)]
        return np.array([_within(each) for each in scores])

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


def _within(fraction: float) -> float:
    """`heads.within` of one number."""
    greatest = 1 - SMALLEST_FRACTION
    return SMALLEST_FRACTION if fraction < SMALLEST_FRACTION else greatest if fraction > greatest else fraction


def _between(score: float, x: list[float], y: list[float]) -> float:
    """What `np.interp` gives, to the last bit."""
    at = bisect_right(x, score) - 1
    if at < 0:
        return y[0]
    if score != score or at == len(x) - 1 or x[at] == score:
        return score if score != score else y[at]
    return (y[at + 1] - y[at]) / (x[at + 1] - x[at]) * (score - x[at]) + y[at]
