"""HTML: the comparison as one self-contained file: no script, nothing fetched, readable in light, dark and print.

The template only loops; every word and number is prepared here or by `amounts` and `findings`. Jinja2 escapes all of
it, after `safe` has taken out what could steer or reverse a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.options.option import OF_PARTS
from breakeven.reports import amounts, decision_rows, findings, stability_wording
from breakeven.reports.bar_charts import LineLook, line_key, line_looks, line_names
from breakeven.reports.chart_style import HEAT, LINES, OTHER, Series, series_of
from breakeven.reports.charts import draw_charts
from breakeven.reports.decide_page import FUTURES, Tile, decide_page
from breakeven.reports.document import Amount, AssumptionPart, Document, LinePart, OptionPart, OwnershipPart
from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY, chart_markup, environment, style_sheet
from breakeven.reports.panel_charts import money_comes_in
from breakeven.reports.risk_part import RiskPart
from breakeven.reports.shortlist import families, main_options
from breakeven.reports.traffic_charts import KINDS

if TYPE_CHECKING:
    from jinja2 import Environment

CHANGES_SHOWN_COUNT: Final = 40
_Contents = tuple[str, str, tuple[tuple[str, str], ...]]
MONTHS_LINKS: Final = (
    ("Present value", "present-value"),
    ("Bills", "bills"),
    ("Lowest by month", "odds-by-month"),
    ("Volume and prices", "paths"),
    ("Waiting", "waiting"),
)
DOUBT_LINKS: Final = (
    ("Measure next", "measure"),
    ("What moves it", "tornado"),
    ("Break-even odds", "break-even-odds"),
)
ANSWERS_LINKS: Final = (
    ("Volume bands", "bands"),
    ("Five questions", "questions"),
    ("Privacy", "privacy"),
    ("Energy", "energy"),
    ("When to go back", "exit"),
)
MONTH_LINKS: Final = (
    ("Options", "options"),
    ("All of them", "all-options"),
    ("Costs by volume", "costs-by-volume"),
    ("Break-even", "break-even"),
    ("Breakdown", "breakdown"),
    ("Levers", "levers"),
)
BEHIND_LINKS: Final = (
    ("Included and excluded", "scope"),
    ("Traffic", "traffic"),
    ("Cost lines", "lines"),
    ("Assumptions", "assumptions"),
    ("Reproduce", "reproduce"),
)


@dataclass(frozen=True, slots=True)
class LineRow:
    """One cost line across the options."""

    title: str
    look: LineLook | None
    apart: bool
    raw_rent: bool
    cells: tuple[tuple[LinePart, ...], ...]
    """The lines of each option; one of parts has one per part."""
    notes: tuple[str, ...]


def render_html(document: Document) -> str:
    """The report as one HTML text; the same document gives the same bytes."""
    charts = {name: chart_markup(chart) for name, chart in draw_charts(document).items()}
    template = report_environment().get_template("report.html.j2")
    return template.render(
        document=document,
        verdict=document.verdict,
        workload=document.workload,
        part=document.breakeven,
        charts=charts,
        csp=CONTENT_SECURITY_POLICY,
        css=style_sheet(),
        hatches=range(len(LINES)),
        series={each.name: each for each in series_of(document)},
        badges=findings.comparison_badges(document),
        figures=_figures(document),
        scale=findings.successes_shown_count(document),
        main=main_options(document),
        groups=families(document),
        fleet_names=tuple(dict.fromkeys(name for option in document.options for name in option.facts)),
        line_looks=[each for each in line_looks(document) if each.colour != OTHER],
        small_lines=[each.title for each in line_looks(document) if each.colour == OTHER],
        other_colour=OTHER,
        line_rows=_line_rows(document),
        pair_sentences={each.option: each.sentence for each in document.breakeven.pairs},
        purchases=[(each, _three_ways(each.ownership)) for each in document.options if each.ownership],
        disagreeing=findings.disagreeing_prices(document),
        ranged=[each for each in document.assumptions if each.low != each.high],
        certain=[each for each in document.assumptions if each.low == each.high],
        token_kinds=KINDS,
        heat=HEAT,
        changes=document.breakeven.crossings[:CHANGES_SHOWN_COUNT],
        hidden_changes_count=max(0, len(document.breakeven.crossings) - CHANGES_SHOWN_COUNT),
        findings=findings,
        stability_wording=stability_wording,
        amounts=amounts,
        **_decision(document),
    )


def _decision(document: Document) -> dict[str, Any]:
    """What the sections on the months, on doubt and on the guide's questions are made of; empty in an old document."""
    horizon, risk, answers = document.horizon, document.risk, document.answers
    return {
        "parts": _parts(document),
        "page": decide_page(document),
        "rows": decision_rows,
        "months": decision_rows.months_rows(document),
        "all_months": decision_rows.months_rows(document, every=True),
        "money_comes_in": money_comes_in(document),
        "waits": [each for each in horizon.waiting if each.wait_months != 0] if horizon else [],
        "worth": decision_rows.worth_measuring(document),
        "contest": _contest(document, risk) if risk else "",
        "odds": decision_rows.odds_rows(document),
        "all_odds": decision_rows.odds_rows(document, every=True),
        "rule_lines": decision_rows.rule_lines(answers.five_questions) if answers else (),
        "losses": decision_rows.loss_rows(document),
        "energy": decision_rows.energy_rows(document),
    }


def _contest(document: Document, risk: RiskPart) -> str:
    best = findings.title_of(document, risk.recommended)
    return f"{best} against {findings.title_of(document, risk.rival)}" if risk.rival else best


def _parts(document: Document) -> tuple[_Contents, ...]:
    """Table of contents: title, anchor and links of each part; empty in a document of one month alone."""
    answers = document.answers
    found: list[_Contents] = []
    if answers or document.horizon:
        found.append(("Decision", "decision", ()))
    if document.horizon:
        found.append(("Months to come", "months", MONTHS_LINKS))
    if document.risk:
        found.append(("Doubt", "doubt", DOUBT_LINKS))
    if answers:
        gone = {"energy" if not answers.energy else "", "exit" if not answers.exit_criteria else ""}
        found.append(
            ("The guide", "answers", tuple(_titled(document, each) for each in ANSWERS_LINKS if each[1] not in gone))
        )
    if not found:
        return ()
    owning = (("Owning", "ownership"),) if any(each.ownership for each in document.options) else ()
    return (*found, ("One month", "month", (*MONTH_LINKS, *owning)), ("Behind it", "scope", BEHIND_LINKS))


def _titled(document: Document, link: tuple[str, str]) -> tuple[str, str]:
    """A link under the heading that it leads to."""
    return (decide_page(document).exit_title, link[1]) if link[1] == "exit" else link


def report_environment() -> Environment:
    """The engine with the filters that the templates of the report use."""
    made = environment()
    made.filters.update(
        spread=_spread,
        usd=_spread,
        halves=_halves,
        per=_per,
        span=_span,
        quantities=_quantities,
        letters=_letters,
        lever=findings.lever_finding,
        part_of=_part_of,
    )
    return made


def _figures(document: Document) -> tuple[tuple[str, str, str], ...]:
    """The few figures beside the verdict: label, figure, range or basis."""
    verdict = document.verdict
    scale = findings.successes_shown_count(document)
    best = next((each for each in document.options if each.name == verdict.recommended), None)
    here = document.breakeven.volume_mtok_per_month
    stretched = document.workload.extrapolated_from_hours
    basis = f"extrapolated from {amounts.hours(stretched)}" if stretched is not None else "as observed"
    found = []
    saves = verdict.saves_usd_per_month
    months = _months_figures(document)
    if not months and saves is not None and verdict.rival is not None:
        rival = findings.title_of(document, verdict.rival)
        span = f"a month; {amounts.difference_range(saves.p10, saves.p90)}"
        label = f"One month, against {rival}" if document.horizon else f"Against {rival}"
        found.append((label, amounts.difference(saves.p50), span))
    found += months
    if not (document.horizon and document.answers):
        odds = amounts.odds(verdict.odds_fraction)
        found.append(("Cheapest in", f"{odds} futures", f"confidence: {verdict.confidence}"))
    if best is not None:
        cost = best.usd_per_success
        successes = "success" if scale == 1 else f"{scale:,} successes"
        span = amounts.money_span(cost.p10 * scale, cost.p90 * scale)
        found.append((f"Cost of {successes}", amounts.money(cost.p50 * scale), f"P10-P90 {span}" if span else ""))
    return (*found, ("Your volume", amounts.volume(here), f"a month, {basis}"))


def _months_figures(document: Document) -> list[tuple[str, str, str]]:
    """First months, present value, payback and odds over the months, as the one-page decision has them."""
    if not (document.horizon and document.answers):
        return []
    first, present, payback, odds = decide_page(document).tiles
    return [_figure(first), _figure(present), _figure(payback, label=f"{payback.label}, median"), _figure(odds)]


def _figure(tile: Tile, label: str = "") -> tuple[str, str, str]:
    value = f"{tile.value} {tile.range}" if tile.range == FUTURES else tile.value
    basis = "; ".join(each for each in ("" if tile.range == FUTURES else tile.range, tile.note) if each)
    return label or tile.label, value, basis


def _line_rows(document: Document) -> tuple[LineRow, ...]:
    """The cost lines of the main options as rows, one column per option; expected losses last."""
    names, options = line_names(document), main_options(document)
    looks = {each.key: each for each in line_looks(document)}
    rows: dict[str, list[tuple[OptionPart, LinePart]]] = {}
    for option in sorted(options, key=lambda each: each.family in OF_PARTS):
        for line in option.lines:
            rows.setdefault(line_key(line.name, names), []).append((option, line))
    found = [_line_row(options, key, pairs, looks.get(key)) for key, pairs in rows.items()]
    return tuple(sorted(found, key=lambda row: row.apart))


def _line_row(
    options: Sequence[OptionPart], key: str, pairs: list[tuple[OptionPart, LinePart]], look: LineLook | None
) -> LineRow:
    lines = [line for _, line in pairs]
    exact = next((line for line in lines if line.name == key), lines[0])
    cells = tuple(tuple(line for owner, line in pairs if owner is option) for option in options)
    return LineRow(
        title=exact.title,
        look=look,
        apart=all(each.apart for each in lines),
        raw_rent=any(each.raw_rent for each in lines),
        cells=cells,
        notes=tuple(dict.fromkeys(each.note for each in lines if each.note)),
    )


def _three_ways(part: OwnershipPart) -> tuple[tuple[str, str, str, str], ...]:
    """One purchase in the comparison, as cash and in the books: label and three amounts; empty where there is none."""
    months = amounts.quantity_spread(
        part.lifetime_months.p50, part.lifetime_months.p10, part.lifetime_months.p90, "month"
    )
    running = _spread(part.running_usd_per_month)
    return (
        ("At the start", "", _spread(part.capex_usd), ""),
        ("Each month, capital", _spread(part.annuity_usd_per_month), "", _spread(part.depreciation_usd_per_month)),
        ("Each month, running", running, running, running),
        ("Each month", _spread(part.annuity_total_usd_per_month), running, _spread(part.accounting_usd_per_month)),
        ("At the end", "", f"{_spread(part.resale_usd)} back", ""),
        (
            f"Over {months}",
            _spread(part.annuity_over_life_usd),
            _spread(part.cash_over_life_usd),
            _spread(part.accounting_over_life_usd),
        ),
    )


def _spread(amount: Amount, scale: float = 1) -> str:
    """Money with its range."""
    return amounts.money_range(amount.p50 * scale, amount.p10 * scale, amount.p90 * scale)


def _per(amount: Amount, scale: float = 1) -> str:
    """Money alone."""
    return amounts.money(amount.p50 * scale)


def _span(amount: Amount, scale: float = 1) -> str:
    """The range alone, with a real dash."""
    return amounts.money_span(amount.p10 * scale, amount.p90 * scale).replace("-", "–") if amount.p10 >= 0 else (
        amounts.money_span(amount.p10 * scale, amount.p90 * scale)
    )  # fmt: skip


def _halves(amount: Amount) -> tuple[str, str]:
    """The median with its unit, and the range."""
    middle, _, span = amounts.quantity_spread(amount.p50, amount.p10, amount.p90, amount.unit).partition(" (")
    return middle, span.removesuffix(")")


def _quantities(fact: AssumptionPart) -> str:
    """Typical value with its range."""
    return amounts.quantity_spread(fact.typical, fact.low, fact.high, fact.unit)


def _part_of(title: str, whole: str) -> str:
    """What a part's line adds to the title of its row.

    >>> _part_of("Engineering labour (fleet)", "Engineering labour")
    'fleet'
    """
    return title.removeprefix(whole).strip(" ()") or title


def _letters(names: Iterable[str], series: dict[str, Series]) -> str:
    """Letters of the options called `names`, neighbours as a span.

    >>> looks = {name: Series(name, name, name, "", (), False, True) for name in "ABCDF"}
    >>> _letters("ABCF", looks), _letters("ABCDF", looks)
    ('A-C F', 'all')
    """
    order = list(series)
    places = sorted(order.index(name) for name in names if name in series)
    if len(places) == len(order) > 1:
        return "all"
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][-1] == place - 1:
            spans[-1].append(place)
        else:
            spans.append([place])
    return " ".join(_span_of_letters([series[order[place]].letter for place in span]) for span in spans)


def _span_of_letters(letters: Sequence[str]) -> str:
    return f"{letters[0]}-{letters[-1]}" if len(letters) > 2 else " ".join(letters)
