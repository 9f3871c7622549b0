"""Guide build: findings about the guide's claims become the guide document; templates are filled with figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from breakeven import __version__
from breakeven.catalog.checks import is_price
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.discover import finding_of, guide_claims
from breakeven.claims.guide.finding import ODDS, Figure, Finding, GuideClaim, Table
from breakeven.claims.guide.saving import difference_usd_per_month, saved_fraction
from breakeven.decision.comparison import leaf_nodes
from breakeven.decision.scenario import Scenario
from breakeven.facts.source import Grade
from breakeven.facts.trace import Layer, Node
from breakeven.reports import amounts
from breakeven.reports.guide_document import (
    SCHEMA_VERSION,
    GuideCellPart,
    GuideClaimPart,
    GuideDocument,
    GuideFigurePart,
    GuideTablePart,
)
from breakeven.reports.tracing import TraceTable

MULTIPLE_FROM_FRACTION = 1.0
"""More than this share more is said as a multiple: 9x as much, not 799 % more."""
VERDICT_WORDS: Final = {
    "holds": ("holds", "hold"),
    "depends": ("depends on something", "depend on something"),
    "does not hold": ("does not hold", "do not hold"),
    "not tested": ("could not be tested here", "could not be tested here"),
}


def build_guide_document(
    bench: Bench,
    scenario: Scenario,
    *,
    only: tuple[str, ...] = (),
    warnings: Iterable[str] = (),
    next_command: str = "breakeven check CLAIM.yaml",
) -> GuideDocument:
    """Test the claims (all, or those named) on `bench` and write them down; a pure function of its arguments."""
    catalog = bench.situation.catalog
    results = [(claim, finding_of(claim, bench)) for claim in guide_claims(only)]
    trace = TraceTable(catalog.as_of)
    claims = tuple(_claim(claim, finding, trace) for claim, finding in results)
    read = _prices_read([each.node for _, finding in results for each in _figures(finding)])
    return GuideDocument(
        schema_version=SCHEMA_VERSION,
        kind="guide_claims",
        summary=summary_sentence(claims),
        workload=bench.workload,
        is_reference=bench.is_reference,
        as_of=catalog.as_of.isoformat(),
        prices_read_from=min(read, default=None),
        prices_read_to=max(read, default=None),
        seed=bench.draws.seed,
        draws_count=bench.draws.draws_count,
        breakeven_version=__version__,
        catalog_hash=catalog.digest,
        scenario_hash=scenario.digest(),
        claims=claims,
        warnings=tuple(warnings),
        next_command=next_command,
        trace=trace.nodes,
    )


def summary_sentence(claims: Sequence[GuideClaimPart]) -> str:
    """How many hold, depend and do not hold."""
    parts = []
    for verdict, (one, many) in VERDICT_WORDS.items():
        count = sum(each.verdict == verdict for each in claims)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    return f"Of {amounts.counted(len(claims), 'claim')} of the guide {', '.join(parts)}."


@dataclass(frozen=True, slots=True)
class _Shown:
    """A Figure inside a text: ``{key}`` its median, ``{key:range}`` with P10 and P90, ``{key:plain}`` a bare share."""

    figure: Figure

    def __format__(self, spec: str) -> str:
        return _text(self.figure, with_range=spec == "range", as_saving=spec != "plain")


def _text(figure: Figure, *, with_range: bool, as_saving: bool = True) -> str:
    """The figure in words."""
    value = figure.range
    if figure.node.name == ODDS:
        return amounts.odds(value.p50)
    words = SIGNED_WORDS.get(figure.node.name) if as_saving else None
    if words is not None:
        return spread(words, value.p50, value.p10, value.p90) if with_range else words(value.p50)
    if with_range:
        return amounts.quantity_spread(value.p50, value.p10, value.p90, figure.unit)
    return amounts.quantity(value.p50, figure.unit)


def saving(share_fraction: float) -> str:
    """A share saved or paid on top, in words: never a negative saving.

    >>> saving(0.431), saving(-0.12), saving(-8.0), saving(0.0), saving(0.004)
    ('43 % less', '12 % more', '9x as much', 'the same', '0.4 % less')
    """
    if share_fraction < -MULTIPLE_FROM_FRACTION:
        return f"{amounts.ratio(1 - share_fraction)} as much"
    if share_fraction == 0:
        return "the same"
    size = abs(share_fraction)
    return f"{amounts.fraction(round(size, 2) or size)} {'less' if share_fraction > 0 else 'more'}"


def difference(usd: float) -> str:
    """An amount more or less, in words.

    >>> difference(1200), difference(-7266)
    ('$1,200 more', '$7,266 less')
    """
    return f"{amounts.money(abs(usd))} {'less' if usd < 0 else 'more'}"


def spread(words: Callable[[float], str], p50: float, p10: float, p90: float) -> str:
    """The median with its range; a word that both ends share is said once.

    >>> spread(saving, 0.43, -0.1, 0.6), spread(saving, 0.43, 0.2, 0.6), spread(saving, 0.43, 0.43, 0.43)
    ('43 % less (10 % more to 60 % less)', '43 % less (20 % to 60 %)', '43 % less')
    """
    if p10 == p90:
        return words(p50)
    middle, low, high = words(p50), words(p10), words(p90)
    word = middle.rpartition(" ")[2]
    if low.endswith(f" {word}") and high.endswith(f" {word}"):
        low, high = (each.removesuffix(f" {word}").removesuffix(" as") for each in (low, high))
    return f"{middle} ({low} to {high})"


SIGNED_WORDS: Final[Mapping[str, Callable[[float], str]]] = {
    saved_fraction.name: saving,
    difference_usd_per_month.name: difference,
}
"""Values whose sign is a direction are said in words."""


def _claim(claim: GuideClaim, finding: Finding, trace: TraceTable) -> GuideClaimPart:
    shown = {each.key: _Shown(each) for each in finding.figures}
    return GuideClaimPart(
        id=claim.id,
        words=claim.words,
        says=claim.says,
        found=_filled(finding.found, shown),
        verdict=finding.verdict,
        depends_on=_filled(finding.depends_on, shown),
        because=_filled(finding.because, shown),
        details=tuple(_filled(each, shown) for each in finding.details),
        scenario=finding.scenario,
        figures=tuple(_figure(each, trace) for each in finding.figures),
        tables=tuple(_table(each) for each in finding.tables),
    )


def _filled(template: str, shown: Mapping[str, _Shown]) -> str:
    return template.format_map(shown)


def _figure(figure: Figure, trace: TraceTable) -> GuideFigurePart:
    value = figure.range
    return GuideFigurePart(
        key=figure.key,
        label=figure.label,
        unit=figure.unit,
        p10=value.p10,
        p50=value.p50,
        p90=value.p90,
        text=_text(figure, with_range=True),
        trace=trace.add(figure.node),
    )


def _table(table: Table) -> GuideTablePart:
    rows = tuple(tuple(_cell(each) for each in row) for row in table.rows)
    return GuideTablePart(title=table.title, columns=table.columns, rows=rows)


def _cell(cell: Figure | str) -> GuideCellPart:
    if isinstance(cell, str):
        return GuideCellPart(text=cell)
    value = cell.range
    text = _text(cell, with_range=True)
    if cell.unit in ("usd/month", "usd/year", "usd") and cell.node.name not in SIGNED_WORDS:
        text = amounts.money_range(value.p50, value.p10, value.p90)
    elif cell.unit == "mtok/month":
        text = amounts.volume(value.p50).removesuffix(" tokens")
    return GuideCellPart(text=text, unit=cell.unit, p10=value.p10, p50=value.p50, p90=value.p90)


def _figures(finding: Finding) -> Iterator[Figure]:
    yield from finding.figures
    for table in finding.tables:
        yield from (cell for row in table.rows for cell in row if isinstance(cell, Figure))


def _prices_read(nodes: Sequence[Node]) -> list[str]:
    """Days on which the prices behind the figures were read; not our own guesses, nor what a scenario says."""
    return [
        leaf.source.read.isoformat()
        for leaf in leaf_nodes(nodes)
        if leaf.source is not None and leaf.assumption is not None and is_price(leaf.name)
        if leaf.source.grade is not Grade.GUESS and leaf.layer is not Layer.SCENARIO
    ]
