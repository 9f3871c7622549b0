"""Calibration: estimates of tokens corrected by a team's own calls that have both texts and usage.

The correction is the median ratio of reported to estimated tokens, for each model and kind of content; where fewer than
`SAMPLES_MIN_COUNT` calls tell it, for all models of that kind, then for everything. The band is the smallest half width
that holds 80 % of those calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Literal

from breakeven.usage.token_estimate.class_mix import CLASS_MIX_ERROR_FRACTION, class_mix_tokens, content_class
from breakeven.usage.token_estimate.vocabulary_file import tokenizer_for

Side = Literal["input", "output"]
TOKENIZER: Final = "tokenizer"
TOKENIZER_ERROR_FRACTION: Final = 0.05
"""For what surrounds the texts (roles, tool definitions), where no call could tell. A guess."""
SAMPLES_MIN_COUNT: Final = 20
SAMPLES_KEPT_MAX_COUNT: Final = 400
"""Of one model and side; texts are kept in memory until they are needed."""
_BAND_FRACTION: Final = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """A text of a call whose log reports its tokens."""

    model: str | None
    side: Side
    text: str
    reported_tokens: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens of a text before calibration."""

    side: Side
    kind: str
    """A content class, or `TOKENIZER`."""
    tokens: float


@dataclass(frozen=True, slots=True)
class Correction:
    """What to multiply an estimate with, and how far off it may still be."""

    factor_ratio: float
    error_fraction: float
    samples_count: int


def estimate(text: str, model: str | None, side: Side) -> Estimate:
    """Tokens of `text` by the model's own vocabulary where it lies on disk, else by class mix."""
    count = tokenizer_for(model)
    if count is not None:
        return Estimate(side, TOKENIZER, float(count(text)))
    return Estimate(side, content_class(text), class_mix_tokens(text))


@dataclass(slots=True)
class Calibration:
    """Collects samples during an import; looks at their texts only when somebody asks for a correction."""

    _samples: dict[tuple[str | None, Side], list[Sample]] = field(default_factory=dict)
    _ratios: dict[tuple[str | None, ...], list[float]] | None = None
    _found: dict[tuple[str | None, Estimate | str, str], Correction] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Take a sample while there are few of its model."""
        some = self._samples.setdefault((sample.model, sample.side), [])
        if len(some) < SAMPLES_KEPT_MAX_COUNT and sample.reported_tokens > 0 and sample.text:
            some.append(sample)
            self._ratios = None
            self._found.clear()

    def correction(self, model: str | None, side: Side, kind: str) -> Correction:
        """The correction for estimates of this kind."""
        key = (model, side, kind)
        if key not in self._found:
            self._found[key] = self._correction(model, side, kind)
        return self._found[key]

    def _correction(self, model: str | None, side: Side, kind: str) -> Correction:
        if self._ratios is None:
            self._ratios = self._all_ratios()
        for cell in ((model, side, kind), ("*", side, kind), ("*", side, "*")):
            ratios = self._ratios.get(cell, [])
            if len(ratios) >= SAMPLES_MIN_COUNT and (cell[2] != "*" or kind != TOKENIZER):
                return _corrected(ratios)
        return Correction(1.0, TOKENIZER_ERROR_FRACTION if kind == TOKENIZER else CLASS_MIX_ERROR_FRACTION, 0)

    def _all_ratios(self) -> dict[tuple[str | None, ...], list[float]]:
        found: dict[tuple[str | None, ...], list[float]] = {}
        for (model, side), samples in self._samples.items():
            for sample in samples:
                made = estimate(sample.text, model, side)
                if made.tokens > 0:
                    ratio = sample.reported_tokens / made.tokens
                    for cell in {(model, side, made.kind), ("*", side, made.kind)}:
                        found.setdefault(cell, []).append(ratio)
                    if made.kind != TOKENIZER:
                        found.setdefault(("*", side, "*"), []).append(ratio)
        return found


def _corrected(ratios: list[float]) -> Correction:
    """Median ratio, and the half width around it that holds four of five (and one more, for the next one)."""
    factor = median(ratios)
    errors = sorted(abs(factor / ratio - 1) for ratio in ratios)
    place = min(math.ceil(_BAND_FRACTION * (len(errors) + 1)), len(errors)) - 1
    return Correction(factor, errors[place], len(ratios))
