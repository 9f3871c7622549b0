"""Check: recompute a claim from its own inputs, and say what it left out and what becomes of it with that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.claims.diagnosis import Suspect, suspects
from breakeven.claims.dimensions import in_usd, unit_of_name
from breakeven.claims.estimates import Known, LeftOut, left_out
from breakeven.claims.file import ClaimFile, FigureEntry, SpanEntry
from breakeven.claims.flags import flags_of
from breakeven.claims.gaps import Gap
from breakeven.claims.lines import assumes_never_idle, deployment_of
from breakeven.claims.resolver import Resolver
from breakeven.claims.scopes import Scopes, scopes_of
from breakeven.errors import ClaimError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node

Outcome = Literal["inside", "off", "not_recomputed", "shown"]
Verdict = Literal["reproduced", "lines_missing", "trap", "off", "not_recomputed"]
_DRAWS_LOG2: Final = 12
_READ_BY_FLAGS: Final = ("fleet_tok_per_s", "gpu_tok_per_s", "replica_tok_per_s", "node_tok_per_s")
_NO_FACTOR: Final = 1e-300


@dataclass(frozen=True, slots=True)
class WithLines:
    """A figure with the missing lines in: at their low end, typical, at their high end."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a claim. Infinity is ``never``."""

    name: str
    """``PART.NAME`` or ``NAME``, as the file says it."""
    published_as: str
    unit: str
    published: FigureEntry | None
    expected: FigureEntry | None
    """The right figure as the file has it, where it has one."""
    value: float | None
    """Recomputed, in the currency of its name; None when it cannot be."""
    low: float | None
    high: float | None
    """5 % and 95 % where the claim gives ranges."""
    outcome: Outcome
    factor_ratio: float | None
    """How many times the larger of published and recomputed the smaller is; None without two numbers."""
    node: Node | None
    problem: str = ""
    with_lines: WithLines | None = None
    suspects: tuple[Suspect, ...] = ()

    @property
    def is_never(self) -> bool:
        """Whether the answer is never."""
        return self.value is not None and math.isinf(self.value)

    @property
    def part(self) -> str:
        """The part it is about; empty for the whole claim."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim, recomputed."""

    file: ClaimFile
    rows: tuple[Row, ...]
    verdict: Verdict
    left_out: Mapping[str, LeftOut]
    """By part; the whole claim under the empty name."""
    flags: tuple[str, ...]
    unused: tuple[str, ...]
    """Facts that no figure asked for."""

    @property
    def is_reproduced(self) -> bool:
        """Whether every published figure follows from the claim's own inputs."""
        return self.verdict in ("reproduced", "lines_missing", "trap")


def check_claim(file: ClaimFile, catalog: Catalog) -> CheckedClaim:
    """Recompute every figure of a claim; raises ClaimError for a file that makes no sense."""
    scopes = scopes_of(file, catalog)
    typical = scopes.resolvers(_typical)
    ranged = scopes.resolvers(DrawSet(0, _DRAWS_LOG2).of) if scopes.has_ranges else None
    known = Known(catalog, file.entry.gpu, tuple(file.entry.includes))
    names = tuple(dict.fromkeys((*file.entry.published, *file.entry.recomputed)))
    never_idle = _never_idle_parts(names, typical)
    missing = {
        name: found for name, each in typical.items() if (found := _left_out(name, each, scopes, known, never_idle))
    }
    beside = [
        scopes.resolvers(_typical, {name: added[end] for name, each in missing.items() if (added := each.added())})
        for end in range(3)
    ]
    rows = tuple(_row(file, scopes, full, typical, ranged, beside) for full in names)
    if not any(row.node is not None or "UNPRICED" in row.problem for row in rows):
        raise ClaimError("\n".join(_where(file, row) for row in rows))
    used = {name for row in rows if row.node for name in row.node.leaves()}
    used |= {"gpus_count", *_READ_BY_FLAGS} if missing else set()
    used |= {"tokens", "requests"} if any(row.problem.startswith("UNPRICED") for row in rows) else set()
    unused = tuple(name for name in _facts_of(scopes) if name not in used)
    verdict = _verdict(file, rows, missing)
    return CheckedClaim(file, rows, verdict, missing, flags_of(scopes, typical, rows_nodes(rows)), unused)


def rows_nodes(rows: tuple[Row, ...]) -> dict[str, Node]:
    """The Traces of the figures, by name."""
    return {row.name: row.node for row in rows if row.node is not None}


def _row(
    file: ClaimFile,
    scopes: Scopes,
    full: str,
    typical: Mapping[str, Resolver],
    ranged: Mapping[str, Resolver] | None,
    beside: list[dict[str, Resolver]],
) -> Row:
    part, _, name = full.rpartition(".")
    published, expected = file.entry.published.get(full), file.entry.recomputed.get(full)
    label, unit = file.entry.published_as.get(full, ""), unit_of_name(name) or ""
    found = typical[part].find(in_usd(name))
    if isinstance(found, Gap):
        problem = _unpriced(found, typical[part]) or found.sentence()
        outcome: Outcome = "inside" if "unpriced" in (published, expected) and found.unpriced else "not_recomputed"
        return Row(full, label, unit, published, expected, None, None, None, outcome, None, None, problem)
    value = scopes.in_currency(name, float(found.value.flat[0]))
    low, high = _range(scopes, ranged, part, name)
    wanted = published if published is not None else expected
    inside = None if wanted is None else _agree(wanted, value, file.entry.tolerance)
    outcome = "shown" if inside is None else "inside" if inside else "off"
    with_lines = _with_lines(scopes, beside, part, name, value)
    guesses = () if outcome != "off" else suspects(typical[part], in_usd(name), wanted, value, file.entry.tolerance)
    factor = _factor(wanted, value)
    return Row(
        full, label, unit, published, expected, value, low, high, outcome, factor, found, "", with_lines, guesses
    )


def _range(
    scopes: Scopes, ranged: Mapping[str, Resolver] | None, part: str, name: str
) -> tuple[float | None, float | None]:
    found = ranged[part].find(in_usd(name)) if ranged else None
    if not isinstance(found, Node) or found.value.size == 1:
        return None, None
    low, high = np.quantile(found.value, (0.05, 0.95), method="inverted_cdf")
    return scopes.in_currency(name, float(low)), scopes.in_currency(name, float(high))


def _with_lines(
    scopes: Scopes, beside: list[dict[str, Resolver]], part: str, name: str, value: float
) -> WithLines | None:
    """The figure with the missing lines in; None where they do not touch it."""
    ends: list[float] = []
    for resolvers in beside:
        found = resolvers[part].find(in_usd(name))
        if isinstance(found, Gap):
            return None
        ends.append(scopes.in_currency(name, float(found.value.flat[0])))
    if all(math.isclose(each, value, rel_tol=1e-12) or each == value for each in ends):
        return None
    return WithLines(*ends)


def _agree(wanted: FigureEntry, value: float, tolerance: float) -> bool:
    if wanted == "unpriced":
        return False
    if wanted == "never":
        return math.isinf(value)
    if isinstance(wanted, SpanEntry):
        slack = tolerance * max(abs(wanted.low), abs(wanted.high))
        return wanted.low - slack <= value <= wanted.high + slack
    assert isinstance(wanted, float | int)
    return math.isclose(value, float(wanted), rel_tol=0.0, abs_tol=tolerance * abs(float(wanted)) + 1e-12 * abs(value))


def _factor(wanted: FigureEntry | None, value: float) -> float | None:
    if isinstance(wanted, SpanEntry):
        wanted = wanted.high if value > wanted.high else wanted.low if value < wanted.low else value
    if not isinstance(wanted, float | int) or math.isinf(value):
        return None
    small, large = sorted((abs(float(wanted)), abs(value)))
    if float(wanted) * value < 0 or small < _NO_FACTOR:
        return None if small != large else 1.0
    return large / small


def _verdict(file: ClaimFile, rows: tuple[Row, ...], missing: Mapping[str, LeftOut]) -> Verdict:
    if any(row.outcome == "off" for row in rows):
        return "off"
    if any(row.outcome == "not_recomputed" for row in rows):
        return "not_recomputed"
    if file.entry.kind == "trap":
        return "trap"
    if any(row.with_lines is not None for row in rows) or any(each.lines for each in missing.values()):
        return "lines_missing"
    return "reproduced"


def _never_idle_parts(names: tuple[str, ...], resolvers: Mapping[str, Resolver]) -> set[str]:
    """Parts of which a figure takes the fleet to be never idle."""
    found: set[str] = set()
    for full in names:
        part, _, name = full.rpartition(".")
        node = resolvers[part].node(in_usd(name))
        if node is not None and assumes_never_idle(node):
            found.add(part)
    return found


def _left_out(
    name: str,
    resolver: Resolver,
    scopes: Scopes,
    known: Known,
    never_idle: set[str],
) -> LeftOut | None:
    """What is left out of a part, or of the whole claim where it has no parts of its own."""
    if not name and scopes.parts:
        return None
    deployment = deployment_of(resolver)
    if deployment is None:
        return None
    return left_out(resolver, deployment, known, never_idle=name in never_idle)


def _facts_of(scopes: Scopes) -> tuple[str, ...]:
    names = [name for scope in (scopes.whole, *scopes.parts) for name in scope.given]
    return tuple(name for name in dict.fromkeys(names) if not name.startswith("usd_per_"))


def _unpriced(gap: Gap, resolver: Resolver) -> str:
    """Which price is unknown, and how many tokens wait for it."""
    if not gap.unpriced:
        return ""
    nodes = [resolver.node(name) for name in ("tokens", "tokens_per_month", "tokens_per_day", "tokens_per_request")]
    volume = next((f"; its {float(each.value.flat[0]):,.0f} tokens are in no figure" for each in nodes if each), "")
    return f"UNPRICED: no price is known for {', '.join(gap.unpriced)}{volume}"


def _where(file: ClaimFile, row: Row) -> str:
    section = "published" if row.name in file.entry.published else "recomputed"
    return f"{file.where(section, row.name)}: {row.problem}"


def _typical(fact: Assumption) -> Draws:
    return np.array([fact.typical])
