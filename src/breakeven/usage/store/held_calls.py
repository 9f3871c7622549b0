"""Held calls: Calls without token counts, kept back until an import has seen what their texts can be calibrated on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from breakeven.usage.store.columns import Constant
from breakeven.usage.token_estimate.calibration import TOKENIZER, Calibration, Estimate, Sample

HELD_BYTES_MAX: Final = 256 << 20
"""Held Calls that are larger than this are settled with what is known by then."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A Call whose tokens must be estimated."""

    row: int
    """In its chunk."""
    model: str | None
    estimates: tuple[Estimate, ...]
    has_images: bool = False
    """Its prompt has images, which have tokens and no text: its estimate leaves them out."""


@dataclass(frozen=True, slots=True)
class Held:
    """Such Calls of one chunk, in order."""

    calls: pa.Table
    constants: Mapping[str, Constant]
    lacking: Sequence[Lacking]


@dataclass(slots=True)
class HeldCalls:
    """All that an import holds back."""

    calibration: Calibration = field(default_factory=Calibration)
    counts: Counter[str] = field(default_factory=Counter)
    """Source file -> Calls with estimated tokens."""
    error_fraction: float = 0.0
    """The widest band of all."""
    samples_count: int = 0
    with_images_count: int = 0
    """Estimated Calls whose prompts have images."""
    _held: list[Held] = field(default_factory=list)
    _bytes: int = 0

    def add(self, held: Held | None, samples: Sequence[Sample]) -> None:
        """Take what a chunk gave."""
        for sample in samples:
            self.calibration.add(sample)
        if held is not None:
            self._held.append(held)
            self._bytes += held.calls.nbytes

    def sentences(self) -> Iterator[str]:
        """What to tell the user."""
        if estimated := sum(self.counts.values()):
            how = (
                f"calibrated on up to {self.samples_count:,} calls of this import that have both"
                if self.samples_count
                else "by what the texts are made of, not calibrated: a guess"
            )
            yield (
                f"{estimated:,} rows have texts and no token counts: these were estimated, {how};"
                f" 80 % of them lie within +-{100 * self.error_fraction:.0f} %."
            )
        if self.with_images_count:
            yield (
                f"{self.with_images_count:,} of these rows have images, whose tokens were NOT counted: their input"
                " tokens and their cost are too low by an unknown amount, and the +- does not hold for them."
            )

    @property
    def is_full(self) -> bool:
        """True when it is time to settle."""
        return self._bytes >= HELD_BYTES_MAX

    def settled(self) -> Iterator[tuple[pa.Table, Mapping[str, Constant]]]:
        """The Calls held so far with their tokens."""
        held, self._held, self._bytes = self._held, [], 0
        for each in held:
            self.counts.update(each.calls["source_file"].to_pylist())
            yield self._with_tokens(each), each.constants

    def _with_tokens(self, held: Held) -> pa.Table:
        calls = held.calls
        columns = {name: calls[name].to_numpy().copy() for name in ("input_tokens", "output_tokens")}
        sources: list[str] = []
        errors: list[float] = []
        for place, lacking in enumerate(held.lacking):
            errors.append(0.0)
            self.with_images_count += lacking.has_images
            for each in lacking.estimates:
                found = self.calibration.correction(lacking.model, each.side, each.kind)
                columns[f"{each.side}_tokens"][place] = max(round(each.tokens * found.factor_ratio), 0)
                errors[-1] = max(errors[-1], found.error_fraction)
                self.samples_count = max(self.samples_count, found.samples_count)
            is_exact = all(each.kind == TOKENIZER for each in lacking.estimates)
            sources.append("tokenizer" if is_exact else "estimated")
        self.error_fraction = max([self.error_fraction, *errors])
        for side, parts in (
            (
                "input_tokens",
                (("cache_read_tokens", "cache_write_tokens"), ("audio_input_tokens", "image_input_tokens")),
            ),
            ("output_tokens", (("reasoning_tokens",), ("audio_output_tokens",))),
        ):
            for names in parts:
                known = [calls[name].to_numpy() for name in names if name in calls.column_names]
                columns[side] = np.maximum(columns[side], sum(known, np.zeros(len(sources), np.int64)))
        calls = _put(calls, "tokens_source", pa.array(sources, pa.string()))
        calls = _put(calls, "tokens_error_fraction", pa.array(errors, pa.float64()))
        for name, values in columns.items():
            calls = _put(calls, name, pa.array(values, pa.int64()))
        return calls


def _put(calls: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in calls.column_names:
        return calls.set_column(calls.column_names.index(name), name, values)
    return calls.append_column(name, values)
