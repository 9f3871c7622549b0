"""Overlap report: how far two sources of the same traffic agree, and what their difference suggests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any, Final

TOKEN_KINDS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_CLOSE_FRACTION: Final = 0.02
"""Two sums this near to each other count as equal."""
_TWICE_FRACTION: Final = 0.05
_TIMES_RATIO: Final = 2.0
"""From here on "times as much" says more than "per cent more"."""


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """What one source counted."""

    requests_count: int = 0
    """0 where the source counts tokens only."""
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: SourceTotals) -> SourceTotals:
        return SourceTotals(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class DayOverlap:
    """Sources that saw the same traffic on one UTC day, or on the days of a longer bucket."""

    day: date
    counted: str
    """The log format that counts (several, joined by ' + ', where they complete each other)."""
    left_out: str
    models: tuple[str, ...]
    counted_totals: SourceTotals
    left_out_totals: SourceTotals
    is_certain: bool = True
    """False: both count; their sums are the same under other names, so that they may be the same calls."""
    days_count: int = 1
    """Of the days from `day` on that are told together."""

    @property
    def days(self) -> tuple[date, ...]:
        """Every one of them."""
        return tuple(self.day + timedelta(days=each) for each in range(self.days_count))

    def to_json(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        return {**asdict(self), "day": self.day.isoformat(), "models": list(self.models)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> DayOverlap:
        """Read what `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            date.fromisoformat(content["day"]),
            content["counted"],
            content["left_out"],
            tuple(content["models"]),
            SourceTotals(**content["counted_totals"]),
            SourceTotals(**content["left_out_totals"]),
            bool(content.get("is_certain", True)),
            int(content.get("days_count", 1)),
        )


@dataclass(frozen=True, slots=True)
class SourceOverlap:
    """Sources that saw the same traffic, over all days on which they did."""

    counted: str
    left_out: str
    days_count: int
    first_day: date
    last_day: date
    models: tuple[str, ...]
    counted_totals: SourceTotals
    left_out_totals: SourceTotals
    tokens_agreement_fraction: float
    """Tokens that both have over tokens that either has, day by day; 1: the same every day."""
    missed_tokens: int = 0
    """Tokens that only the source left out has, day by day: they are in no figure."""
    is_certain: bool = True
    """False: both count, and may be the same calls under other names."""

    @property
    def missed_fraction(self) -> float:
        """`missed_tokens` over all tokens of the source left out."""
        return self.missed_tokens / self.left_out_totals.tokens if self.left_out_totals.tokens else 0.0

    @property
    def requests_ratio(self) -> float | None:
        """Requests left out over requests counted; None where one of the sources counts none."""
        both = (self.left_out_totals.requests_count, self.counted_totals.requests_count)
        return both[0] / both[1] if all(both) else None

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        days = {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}
        return {**asdict(self), **days, "models": list(self.models), "suggestions": list(self.suggestions())}

    @property
    def sentence(self) -> str:
        """One line for a person."""
        if not self.is_certain:
            return self._doubt
        days = "the same day" if self.days_count == 1 else f"the same {self.days_count:,} days"
        span = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        return (
            f"{self.counted} and {self.left_out} cover {days} ({span}); {self.counted} counted, {self.left_out} left"
            f" out, agreement {100 * self.tokens_agreement_fraction:.1f} % of tokens.{self._missed}"
            f" {' '.join(self.suggestions())}"
        ).strip()

    @property
    def _missed(self) -> str:
        """The tokens that are in no figure, where they are more than rounding."""
        if self.missed_fraction <= _CLOSE_FRACTION:
            return ""
        share = f"{100 * self.missed_fraction:.1f} % of what it saw"
        return f" IN NO FIGURE: {self.missed_tokens:,} tokens that only {self.left_out} saw ({share})."

    @property
    def _doubt(self) -> str:
        """One line about sources that both count."""
        days = f"{self.first_day}" if self.days_count == 1 else f"{self.days_count:,} days from {self.first_day}"
        return (
            f"{self.counted} and {self.left_out} tell the same number of calls and tokens on {days} under other names"
            f" ({', '.join(self.models)}): POSSIBLY THE SAME TRAFFIC, COUNTED TWICE. Nothing was left out. If it is the"
            " same, import only one of the two into a new store; if not, import one of them with --separate."
        )

    def suggestions(self) -> tuple[str, ...]:
        """What the disagreement looks like; empty where there is none worth a word."""
        if not self.is_certain:
            return ()
        ours, theirs = self.counted_totals, self.left_out_totals
        found = [each for each in (_cached(self), _twice(self), _reasoning(self)) if each]
        if found or _close(ours.tokens, theirs.tokens):
            return tuple(found)
        if theirs.tokens > ours.tokens:
            return (
                f"{self.left_out} saw {_more(theirs.tokens, ours.tokens)}: other keys or applications that"
                f" {self.counted} does not see, or calls missing there. If it is other traffic, import it with"
                " --separate.",
            )
        return (
            f"{self.left_out} saw {_less(theirs.tokens, ours.tokens)}: it was cut short, sampled, or sees only some of"
            " the keys; or retries count twice in the other. If it is other traffic, import it with --separate.",
        )


def over_all_days(found: Iterable[DayOverlap]) -> tuple[SourceOverlap, ...]:
    """The days of each pair of sources added up."""
    pairs: dict[tuple[str, str, bool], list[DayOverlap]] = {}
    for each in found:
        pairs.setdefault((each.counted, each.left_out, each.is_certain), []).append(each)
    return tuple(_over(pair, days) for pair, days in sorted(pairs.items()))


def _over(pair: tuple[str, str, bool], days: list[DayOverlap]) -> SourceOverlap:
    sums = [(each.counted_totals.tokens, each.left_out_totals.tokens) for each in days]
    dates = {day for each in days for day in each.days}
    either = sum(max(each) for each in sums)
    return SourceOverlap(
        *pair[:2],
        is_certain=pair[2],
        days_count=len(dates),
        first_day=min(dates),
        last_day=max(dates),
        models=tuple(sorted({name for each in days for name in each.models})),
        counted_totals=sum((each.counted_totals for each in days), SourceTotals()),
        left_out_totals=sum((each.left_out_totals for each in days), SourceTotals()),
        tokens_agreement_fraction=sum(min(each) for each in sums) / either if either else 1.0,
        missed_tokens=sum(max(theirs - ours, 0) for ours, theirs in sums) if pair[2] else 0,
    )


def _close(one: int, other: int, within_fraction: float = _CLOSE_FRACTION) -> bool:
    return abs(one - other) <= within_fraction * max(one, other, 1)


def _more(more: int, less: int) -> str:
    """How much more, in words.

    >>> _more(1300, 1000), _more(240_000, 100), _more(5, 0)
    ('30.0 % more', '2,400 times as much', 'tokens where the other saw none')
    """
    if not less:
        return "tokens where the other saw none"
    ratio = more / less
    if ratio < _TIMES_RATIO:
        return f"{100 * (ratio - 1):.1f} % more"
    return f"{ratio:,.0f} times as much" if ratio >= 10 else f"{ratio:.1f} times as much"


def _less(less: int, more: int) -> str:
    """How much less, in words.

    >>> _less(1000, 1300), _less(100, 240_000), _less(0, 5)
    ('23.1 % less', '1/2,400 of it', 'no tokens')
    """
    if not less:
        return "no tokens"
    ratio = more / less
    return f"{100 * (1 - less / more):.1f} % less" if ratio < 10 else f"1/{ratio:,.0f} of it"


def _cached(found: SourceOverlap) -> str | None:
    """One source counts cached tokens outside its input, or not at all."""
    for name, one, other in (
        (found.left_out, found.left_out_totals, found.counted_totals),
        (found.counted, found.counted_totals, found.left_out_totals),
    ):
        cached = other.cache_read_tokens + other.cache_write_tokens
        if cached and not _close(one.input_tokens, other.input_tokens):
            if _close(one.input_tokens + cached, other.input_tokens):
                return f"{name} leaves cached tokens out of its input: cost from it alone would be too low."
        elif cached and not one.cache_read_tokens + one.cache_write_tokens:
            return f"{name} does not tell cached tokens from others: cost from it alone would be too high."
    return None


def _twice(found: SourceOverlap) -> str | None:
    ours, theirs = found.counted_totals.tokens, found.left_out_totals.tokens
    for name, more, less in ((found.counted, ours, theirs), (found.left_out, theirs, ours)):
        if less and _close(more, 2 * less, _TWICE_FRACTION):
            return f"{name} has twice the tokens: its calls may be logged twice (streams, retries, parent spans)."
    return None


def _reasoning(found: SourceOverlap) -> str | None:
    """One source leaves reasoning out of its output."""
    for name, one, other in (
        (found.left_out, found.left_out_totals, found.counted_totals),
        (found.counted, found.counted_totals, found.left_out_totals),
    ):
        differs = not _close(one.output_tokens, other.output_tokens)
        if differs and _close(one.output_tokens + other.reasoning_tokens, other.output_tokens):
            return f"{name} leaves reasoning out of its output: cost from it alone would be too low."
    return None
