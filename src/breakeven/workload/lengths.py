"""Lengths: how many tokens requests have, and how widely they differ: what a queue needs to know beside the mean.

The spread is the squared coefficient of variation (variance over squared mean): 0 for requests of one length, 1 for an
exponential spread. Parts of a log are put together, and taken out again, without going back to the requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ibis import Table

Expression = Any


@dataclass(frozen=True, slots=True)
class LengthSpread:
    """Lengths of single requests; calls that a log gives as buckets say nothing here."""

    requests_count: float = 0.0
    """Requests behind it, weighted; 0: nothing is known."""
    input_tokens: float = 0.0
    """Mean of a request."""
    output_tokens: float = 0.0
    """Mean of a request."""
    input_cv2_ratio: float = 0.0
    """Variance over squared mean."""
    output_cv2_ratio: float = 0.0

    @classmethod
    def of_sums(cls, requests_count: float, inputs: tuple[float, float], outputs: tuple[float, float]) -> LengthSpread:
        """From sums over requests of tokens and of their squares.

        >>> found = LengthSpread.of_sums(2, (30, 500), (4, 8))
        >>> found.input_tokens, round(found.input_cv2_ratio, 4), found.output_cv2_ratio
        (15.0, 0.1111, 0.0)
        """
        if requests_count <= 0:
            return cls()
        means = [each[0] / requests_count for each in (inputs, outputs)]
        spreads = [
            max(each[1] / requests_count / mean**2 - 1, 0.0) if mean > 0 else 0.0
            for each, mean in zip((inputs, outputs), means, strict=True)
        ]
        return cls(requests_count, *means, *spreads)

    def __bool__(self) -> bool:
        return self.requests_count > 0

    def without(self, part: LengthSpread) -> LengthSpread:
        """What is left when the requests of `part` are taken out."""
        return _summed([(self, 1.0), (part, -1.0)])


UNKNOWN_LENGTHS: Final = LengthSpread()
"""Of no request."""


def together(parts: Iterable[LengthSpread]) -> LengthSpread:
    """Lengths of all requests of `parts`.

    >>> one, two = (LengthSpread.of_sums(1, (each, each**2), (1, 1)) for each in (10, 20))
    >>> round(together([one, two]).input_cv2_ratio, 4)
    0.1111
    """
    return _summed([(each, 1.0) for each in parts])


def length_sums(table: Table) -> dict[str, Expression]:
    """Sums over single calls with tokens, of tokens and of their squares; exact, so that no order of rows matters."""
    import ibis

    tokens = {name: ibis.coalesce(table[name], 0) for name in ("input_tokens", "output_tokens")}
    single = (table.grain == "request") & (tokens["input_tokens"] + tokens["output_tokens"] > 0)
    weight: Expression = ibis.coalesce(table.weight, 1.0)

    def total(each: Expression) -> Expression:
        exact = (each * weight).cast("decimal(38, 6)").sum(where=single)
        return ibis.coalesce(exact.cast("float64"), 0.0)

    found: dict[str, Expression] = {"single_count": total(ibis.literal(1.0))}
    for name, each in tokens.items():
        number = each.cast("float64")
        found |= {f"single_{name}": total(number), f"single_{name}_squared": total(number * number)}
    return found


def spread_of(row: Mapping[str, float]) -> LengthSpread:
    """The lengths behind a row of `length_sums`."""
    inputs, outputs = (
        (row[f"single_{name}"], row[f"single_{name}_squared"]) for name in ("input_tokens", "output_tokens")
    )
    return LengthSpread.of_sums(row["single_count"], inputs, outputs)


def _summed(parts: list[tuple[LengthSpread, float]]) -> LengthSpread:
    count = sum(each.requests_count * sign for each, sign in parts)
    inputs, outputs = (
        (
            sum(each.requests_count * sign * getattr(each, mean) for each, sign in parts),
            sum(
                each.requests_count * sign * getattr(each, mean) ** 2 * (1 + getattr(each, spread))
                for each, sign in parts
            ),
        )
        for mean, spread in (("input_tokens", "input_cv2_ratio"), ("output_tokens", "output_cv2_ratio"))
    )
    return LengthSpread.of_sums(count, inputs, outputs)
