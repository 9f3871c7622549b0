"""Models terminal: the ranking of open models as text, one table per class, in 80 columns and in 120."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.facts.source import Grade
from breakeven.reports import amounts, findings
from breakeven.reports.document import Amount
from breakeven.reports.findings import Badge
from breakeven.reports.models_document import LeftOutPart, ModelPart, ModelsDocument, SuccessPart, WayPart
from breakeven.reports.models_wording import CLASS_FACTS, CLASS_TITLES, SHOWN_SUCCESSES_COUNT, percent
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, badges, bullets, next_step, print_parts, section

WIDE_FROM_COLUMNS: Final = 116
RANK_COLUMNS, NAME_COLUMNS, WAY_COLUMNS, MONEY_COLUMNS, SHARE_COLUMNS = 4, 18, 17, 11, 10
"""Widths that fill 80 columns with two blanks between them."""
NAME_WIDE_COLUMNS, WAY_WIDE_COLUMNS, MTOK_COLUMNS = 22, 25, 8
WAYS_SHOWN_COUNT, WAYS_SHOWN_WIDE_COUNT = 3, 5
HASH_SHOWN_COUNT: Final = 12
_LEFT_OUT_WORDS: Final = {
    "price": "UNPRICED",
    "constraint": "your constraints",
    "context": "context too short",
    "fit": "does not fit",
}


def render_models(document: ModelsDocument, console: Console) -> None:
    """Print the whole ranking."""
    wide = console.width >= WIDE_FROM_COLUMNS
    print_parts(
        console,
        (
            badges(_badges(document)),
            Paragraph(document.verdict.sentence, "bold"),
            bullets(document.verdict.details),
            *_classes(document, wide),
            Paragraph(_table_note(), "dim"),
            section("For comparison, USD per 1,000 successes", bullets(_references(document))),
            section("Each way, USD per 1,000 successes (P50)", _ways_table(document, wide)),
            section("What the guide says, on this workload", bullets(_claims(document))),
            section("LEFT OUT, in no figure above", bullets(_left_out(document.left_out)), "bold yellow"),
            section("Included", bullets(["; ".join(document.included)] if document.included else [])),
            section("Excluded", bullets(document.excluded)),
            section("Warnings", bullets(document.warnings), "bold yellow"),
            next_step(document.verdict.next_command),
            _prices_age(document),
            Paragraph(_footer(document), "dim"),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a class's table; the same width in every class, so that the tables stand below each other."""

    header: str
    cell: Callable[[ModelPart], Text]
    width: int
    justify: Literal["left", "right"] = "right"
    wide_only: bool = False


def _columns(cheapest: str | None, wide: bool) -> tuple[_Column, ...]:
    thousand = f"USD / {SHOWN_SUCCESSES_COUNT:,}\nsuccesses"
    name, way = (NAME_WIDE_COLUMNS, WAY_WIDE_COLUMNS) if wide else (NAME_COLUMNS, WAY_COLUMNS)
    columns = (
        _Column("#", lambda each: Text(f"{'> ' if each.name == cheapest else ''}{each.rank}"), RANK_COLUMNS),
        _Column("Model", lambda each: _name(each, wide), name, "left"),
        _Column("Cheapest way", lambda each: Text(_way_words(each)), way, "left"),
        _Column(thousand, lambda each: _spread(each.ways[0].usd_per_success, SHOWN_SUCCESSES_COUNT), MONEY_COLUMNS),
        _Column("USD a\nmonth", lambda each: _spread(each.ways[0].usd_per_month), MONEY_COLUMNS, wide_only=True),
        _Column("USD per\nMtok", _mtok, MTOK_COLUMNS, wide_only=True),
        _Column("pays from\nsuccess of", _needed, SHARE_COLUMNS),
        _Column(
            "cheapest\nin futures", lambda each: Text(amounts.odds(each.probability_cheapest_fraction)), SHARE_COLUMNS
        ),
    )
    return tuple(each for each in columns if wide or not each.wide_only)


def _classes(document: ModelsDocument, wide: bool) -> list[RenderableType | None]:
    """One headed table per class that has a model in it."""
    found: list[RenderableType | None] = []
    for name, title in CLASS_TITLES.items():
        models = [each for each in document.models if each.size_class == name]
        if models:
            heading = f"{title}: success {_of_class(models)}"
            found.append(section(heading, _class_table(models, document.verdict.cheapest, wide)))
    return found


def _class_table(models: Sequence[ModelPart], cheapest: str | None, wide: bool) -> Table:
    table = plain_table()
    columns = _columns(cheapest, wide)
    for each in columns:
        table.add_column(each.header, justify=each.justify, width=each.width, overflow="fold")
    for model in models:
        table.add_row(*(each.cell(model) for each in columns), style="bold" if model.name == cheapest else "")
    return table


def _mtok(each: ModelPart) -> Text:
    return Text(amounts.money(each.ways[0].usd_per_mtok.p50))


def _name(each: ModelPart, wide: bool) -> Text:
    """The name with its parameters behind or below it."""
    size = amounts.magnitude(each.params_count).replace(" ", "")
    if each.active_params_count < each.params_count:
        size += f", {amounts.magnitude(each.active_params_count, 2).replace(' ', '')} active"
    own = f"\nmeasured {amounts.fraction(each.success.typical)}" if _is_own(each) else ""
    return Text(short(each.name, NAME_COLUMNS)).append(
        f"{' ' if wide and len(size) < 6 else chr(10)}{size}{own}", "dim not bold"
    )


def _way_words(each: ModelPart) -> str:
    """The cheapest way in a few words; that an offer is said to have ended stays."""
    return way_words(each.ways[0], each.name)


def way_words(way: WayPart, model: str) -> str:
    """What is bought, without the model's name and without how it was chosen."""
    if way.gpu is not None and way.gpus_count is not None:
        engine = ", 4 bits" if way.option == "small_gpu" else ""
        return safe(f"{way.gpus_count.p50:,.0f} x {way.gpu}{engine}{' (other GPU)' if way.note else ''}")
    text = re.sub(r", the cheapest of \d+ offers for this mix", "", way.buys)
    return short(text.removeprefix(f"{model} "), 60)


def _spread(amount: Amount, scale: int = 1) -> Text:
    span = amounts.money_span(amount.p10 * scale, amount.p90 * scale)
    median = Text(amounts.money(amount.p50 * scale))
    return median.append(f"\n{span}", style="dim not bold") if span else median


def _needed(each: ModelPart) -> Text:
    """The success rate that draws level with today, and whether what is assumed of the class holds it."""
    if each.needed_success_fraction.p50 > 1:
        return Text("never\nover 100 %")
    word = {"below": "likely", "inside": "open", "above": "unlikely"}[each.needed_within]
    return Text(percent(each.needed_success_fraction.p50)).append(f"\n{word}", "dim not bold")


def _of_class(models: Sequence[ModelPart]) -> str:
    """What is assumed of the class; models that somebody measured say their own beside their name."""
    assumed = next((each.success for each in models if not _is_own(each)), None)
    if assumed is None:
        return "measured"
    others = " unless measured" if any(_is_own(each) for each in models) else ""
    return f"{_assumed(assumed)}{others}"


def _is_own(each: ModelPart) -> bool:
    return each.success.name not in CLASS_FACTS and each.success.grade == Grade.MEASURED.value


def _assumed(success: SuccessPart) -> str:
    rate = amounts.fraction(success.typical)
    if success.low == success.high:
        return f"{rate}, {safe(success.grade)}"
    span = f"{amounts.fraction(success.low)} to {amounts.fraction(success.high)}"
    return f"{rate} ({span}), {'A GUESS' if success.grade == 'guess' else safe(success.grade)}"


def _table_note() -> str:
    return (
        "# ranks by median cost per successful outcome, over all classes; > has the lowest expected one. Ranges are "
        "P10-P90 over the futures drawn. 'Pays from success of': where an outcome costs what today's does; likely: "
        "below the range assumed for the class, open: inside it, unlikely: above."
    )


def _references(document: ModelsDocument) -> list[str]:
    found = [f"today's models: {_reference(document.today)}"]
    tier = document.cheaper_tier
    return [*found, f"the providers' cheaper models: {_reference(tier)}"] if tier else found


def _reference(way: WayPart) -> str:
    each, month = way.usd_per_success, way.usd_per_month
    scale = SHOWN_SUCCESSES_COUNT
    cost = amounts.money_range(each.p50 * scale, each.p10 * scale, each.p90 * scale)
    return f"{cost}; {amounts.money_range(month.p50, month.p10, month.p90)} a month ({short(way.buys, 90)})"


def _ways_table(document: ModelsDocument, wide: bool) -> Table | None:
    """Rows by rank, one column for each way that was asked for."""
    titles: dict[str, str] = {}
    for model in document.models:
        asked = [(way.option, way.title) for way in model.ways] + [(no.option, no.title) for no in model.refused]
        for option, title in asked:
            titles.setdefault(option, title)
    if not titles:
        return None
    shown = list(titles)[: WAYS_SHOWN_WIDE_COUNT if wide else WAYS_SHOWN_COUNT]
    table = plain_table()
    table.add_column("Model", no_wrap=True)
    for name in shown:
        table.add_column(short(titles[name], 30), overflow="fold", ratio=1)
    for model in document.models:
        table.add_row(Text(short(model.name, NAME_COLUMNS)), *(_way_cell(model, name) for name in shown))
    return table


def _way_cell(model: ModelPart, option: str) -> Text:
    way = next((each for each in model.ways if each.option == option), None)
    if way is None:
        refused = next((each for each in model.refused if each.option == option), None)
        return Text(_LEFT_OUT_WORDS[refused.kind].lower() if refused else "-", style="dim")
    cost = Text(amounts.money(way.usd_per_success.p50 * SHOWN_SUCCESSES_COUNT))
    if way.token_usd_per_mtok is not None:
        return cost.append(f", tokens {amounts.money(way.token_usd_per_mtok.p50)}/Mtok", "dim")
    return cost.append(f", {way_words(way, model.name)}", "dim")


def _claims(document: ModelsDocument) -> list[str]:
    """The claim, the verdict, our figure, and what it hangs on."""
    found = []
    for each in document.claims:
        hangs = {"depends": f" It hangs on {each.because}.", "not tested": ""}.get(each.verdict)
        because = f" {each.because[:1].upper()}{each.because[1:]}." if hangs is None else hangs
        found.append(safe(f'"{each.claim}": {each.verdict.upper()}. {each.figure}.{because}'))
    return found


def _left_out(models: Sequence[LeftOutPart]) -> list[str]:
    return [f"{short(each.name, 40)}, {_LEFT_OUT_WORDS[each.kind]}: {safe('; '.join(each.reasons))}" for each in models]


def _badges(document: ModelsDocument) -> tuple[Badge, ...]:
    found = list(findings.workload_badges(document.workload))
    if any(each.success.grade == "guess" for each in document.models):
        found.append(Badge("SUCCESS RATES ARE GUESSES BY CLASS", "warning"))
    if document.left_out:
        found.append(Badge(f"{amounts.counted(len(document.left_out), 'model').upper()} LEFT OUT", "warning"))
    return tuple(found)


def _prices_age(document: ModelsDocument) -> Paragraph | None:
    age = findings.prices_age_finding(document)
    return Paragraph(age, "dim") if age else None


def _footer(document: ModelsDocument) -> str:
    rows = findings.footer_findings(document)
    return "; ".join(f"{label} {value[:HASH_SHOWN_COUNT]}" for label, value in rows)
