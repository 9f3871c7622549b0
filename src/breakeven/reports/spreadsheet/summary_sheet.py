"""Summary sheet: the answer with the workbook's own inputs, the options sorted, and the report's ranges beside it."""

from __future__ import annotations

from typing import Final

from breakeven.reports.document import Document, OptionPart
from breakeven.reports.horizon_part import HorizonOptionPart
from breakeven.reports.spreadsheet import compare_sheet as compare
from breakeven.reports.spreadsheet.book import Book, Format, Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text
from breakeven.reports.spreadsheet.compare_sheet import DIFFERENCE, EACH, MONEY, column_range, compared
from breakeven.reports.spreadsheet.layout import MONTH_1, MONTHS, SUMMARY, Layout
from breakeven.reports.spreadsheet.months_sheet import first_row
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.values import WorkbookValues

ANSWER: Final = 4
"""Row of the first figure of the answer, counted from 0."""
TABLE: Final = 11
"""Row of the table's titles."""
CHART_ROWS_COUNT: Final = 25
COLUMNS: Final = (
    ("Rank", 7, "0"),
    ("Option", 42, ""),
    ("Present cost, USD", 16, MONEY),
    ("Against today's API, USD", 24, DIFFERENCE),
    ("Paid at the start, USD", 15, MONEY),
    ("Total today, USD/month", 15, MONEY),
    ("Today, for as many successes, USD/month", 17, MONEY),
    ("One successful answer, USD", 14, EACH),
    ("In the choice", 13, ""),
)
_FROM: Final = {
    1: compare.OPTION,
    2: compare.PRESENT,
    3: compare.AGAINST,
    4: compare.UPFRONT,
    5: compare.TOTAL,
    6: compare.EQUAL,
    7: compare.PER_SUCCESS,
}
"""Column here -> column of the sheet it is looked up on."""
RANGES: Final = (
    ("Present cost, USD: expected", MONEY),
    ("Against today's API, USD: expected", DIFFERENCE),
    ("Present cost: P10", MONEY),
    ("Present cost: P90", MONEY),
    ("Today, for as many successes: median", MONEY),
    ("P10", MONEY),
    ("P90", MONEY),
    ("Cheapest in", "0.0%"),
)
"""Titles and formats of the report's ranges; without a horizon, those of today alone."""
TODAYS_RANGES: Final = RANGES[4:]


def write_summary(
    sheet: Sheet, book: Book, document: Document, layout: Layout, values: WorkbookValues, styles: Styles
) -> None:
    """Fill the sheet."""
    names = compared(document, layout)
    order = sorted(range(len(names)), key=lambda at: compare.ranks(values, layout, names)[at])
    sheet.hide_gridlines(2)
    for column, (_, width, _) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
    sheet.set_column(len(COLUMNS), len(COLUMNS), 11)
    sheet.write_string(0, 0, "Summary", styles.of("title"))
    sheet.write_string(1, 0, f"The report says: {cell_text(document.verdict.sentence)}", styles.of("static_text"))
    _write_answer(sheet, document, layout, values, names, styles)
    _write_table(sheet, document, layout, values, [names[at] for at in order], styles)
    after = TABLE + len(names) + 2
    _draw(sheet, book, document, layout, [names[at] for at in order], after)
    _write_ranges(sheet, document, after + CHART_ROWS_COUNT, styles)
    sheet.freeze_panes(2, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&8&F, &A&R&8Page &P of &N")


def _write_answer(
    sheet: Sheet, document: Document, layout: Layout, values: WorkbookValues, names: list[str], styles: Styles
) -> None:
    """The cheapest option that may be chosen, with the inputs as they stand in this workbook."""
    count, months = len(names), layout.part.months_count
    titles = {each.name: each.title for each in document.options}
    closed = set(layout.part.closed)
    cost = {name: values.today[layout.part.options[name]["present_cost_usd"]] for name in names}
    best = min((name for name in names if name not in closed), key=lambda name: cost[name], default=names[0])
    quo = layout.part.status_quo
    choice, present = column_range(compare.CHOICE, count), column_range(compare.PRESENT, count)
    place = f"MATCH(MIN({choice}),{choice},0)"
    sheet.write_string(ANSWER - 1, 0, f"With the inputs of this workbook, over {months} months", styles.of("heading"))
    for column in range(1, len(COLUMNS)):
        sheet.write_blank(ANSWER - 1, column, None, styles.of("heading"))
    money, difference = styles.of("total", MONEY), styles.of("total", DIFFERENCE)
    figures: tuple[tuple[str, str, float | str, Format], ...] = (
        (
            "Cheapest option",
            f"=INDEX({column_range(compare.OPTION, count)},{place})",
            cell_text(titles[best]),
            styles.of("strong"),
        ),
        ("Present cost, USD", f"=INDEX({present},{place})", cost[best], money),
        (
            "Today's API, USD",
            f"={layout.link(layout.part.options[quo]['present_cost_usd'], SUMMARY, None)}",
            cost[quo],
            money,
        ),
        (
            "Against today's API, USD",
            f"=C{ANSWER + 2}-C{ANSWER + 3}",
            cost[best] - cost[quo],
            difference,
        ),
    )
    for at, (title, formula, value, look) in enumerate(figures, start=ANSWER):
        sheet.write_string(at, 1, title, styles.of("text"))
        sheet.write_formula(at, 2, formula, look, value)
    words = (
        "Typical values: one figure for each input, no ranges; present cost for as many successful answers as today. "
        "Not in the choice: what not everybody has, what an answer rules out, and what costs as much as another."
    )
    sheet.write_string(ANSWER + 4, 1, words, styles.of("muted"))
    recommended = document.verdict.recommended
    if recommended in names:
        differs = _differs(titles[recommended])
        formula = f'=IF({place}={names.index(recommended) + 1},"","{differs.replace(chr(34), chr(34) * 2)}")'
        sheet.write_formula(ANSWER + 5, 1, formula, styles.of("strong"), "" if best == recommended else differs)


def _differs(title: str) -> str:
    """Why the cheapest option here may be another than the report's; no longer than a formula's text may be."""
    return (
        f"Not what the report recommends, {cell_text(title)[:60]}: it weighs every future, and costs may rise further "
        "above a typical value than fall below it. Take its answer where the two differ."
    )


def _write_table(
    sheet: Sheet, document: Document, layout: Layout, values: WorkbookValues, order: list[str], styles: Styles
) -> None:
    """Options by present cost; the order follows the inputs."""
    titles = {each.name: each.title for each in document.options}
    closed = set(layout.part.closed)
    count, rank = len(order), column_range(compare.RANK, len(order))
    quo = values.today[layout.part.options[layout.part.status_quo]["present_cost_usd"]]
    for column, (title, _, _) in enumerate(COLUMNS):
        right = column not in (1, len(COLUMNS) - 1)
        sheet.write_string(TABLE, column, title, styles.of("header_right" if right else "header"))
    sheet.set_row(TABLE, 40)
    for at, name in enumerate(order, start=TABLE + 1):
        roles = layout.part.options[name]
        sheet.write_number(at, 0, at - TABLE, styles.of("number", "0"))
        cached: dict[int, float | str] = {
            1: cell_text(titles[name]),
            2: values.today[roles["present_cost_usd"]],
            3: values.today[roles["present_cost_usd"]] - quo,
            4: values.today[roles["upfront_usd"]],
            5: values.today[roles["total_usd_per_month"]],
            6: values.today[roles["equal_success_usd_per_month"]],
            7: values.today[roles["cost_usd_per_success"]],
        }
        for column, looked_up in _FROM.items():
            formula = f"=INDEX({column_range(looked_up, count)},MATCH($A{at + 1},{rank},0))"
            look = styles.of("beside_text") if column == 1 else styles.of("number", COLUMNS[column][2])
            sheet.write_formula(at, column, formula, look, cached[column])
        open_range = column_range(compare.OPEN, count)
        formula = f'=IF(INDEX({open_range},MATCH($A{at + 1},{rank},0))=1,"yes","no")'
        sheet.write_formula(at, 8, formula, styles.of("beside_text"), "no" if name in closed else "yes")
    last = TABLE + count
    best = {"type": "formula", "criteria": f"=$B{TABLE + 2}=$C${ANSWER + 1}", "format": styles.of("best")}
    sheet.conditional_format(TABLE + 1, 0, last, len(COLUMNS) - 1, best)


def _write_ranges(sheet: Sheet, document: Document, top: int, styles: Styles) -> None:
    """The report's ranges as plain values."""
    title = "Ranges of the report, over all its futures: plain values, not calculated again when an input changes"
    for column in range(len(COLUMNS)):
        sheet.write_string(top, column, title if column == 0 else "", styles.of("heading"))
    sheet.write_string(top + 1, 0, "", styles.of("header"))
    sheet.write_string(top + 1, 1, "Option", styles.of("header"))
    shown = RANGES if document.horizon else TODAYS_RANGES
    for column, (words, _) in enumerate(shown, start=2):
        sheet.write_string(top + 1, column, words, styles.of("header_right"))
    sheet.set_row(top + 1, 28)
    horizon = {each.option: each for each in document.horizon.options} if document.horizon else {}
    for at, option in enumerate(document.options, start=top + 2):
        sheet.write_string(at, 1, cell_text(option.title), styles.of("static_text"))
        values = _ranges(option, horizon.get(option.name))
        for column, (value, (_, numbers)) in enumerate(zip(values, shown, strict=False), start=2):
            sheet.write_number(at, column, value, styles.of("static", numbers))


def _ranges(option: OptionPart, ahead: HorizonOptionPart | None) -> list[float]:
    monthly = option.equal_success_usd_per_month
    share = ahead.probability_cheapest_fraction if ahead else option.probability_cheapest_fraction
    today = [monthly.p50, monthly.p10, monthly.p90, share]
    if ahead is None:
        return today
    present = ahead.present_cost_usd
    return [present.mean, -ahead.saves_usd.mean, present.p10, present.p90, *today]


def _draw(sheet: Sheet, book: Book, document: Document, layout: Layout, order: list[str], top: int) -> None:
    """Present values so far of the cheapest option of each family and of today's API, from the sheet of months."""
    names, quo = compared(document, layout), layout.part.status_quo
    families = {each.name: each.family for each in document.options}
    first = {families[name]: name for name in reversed(order)}
    shown = [name for name in order if name == quo or first[families[name]] == name]
    chart = book.add_chart({"type": "line"})
    start, end = MONTH_1, MONTH_1 + layout.part.months_count - 1
    for name in shown:
        row = first_row(2, len(names)) + names.index(name)
        line = {"width": 2.25, "dash_type": "dash"} if name == quo else {"width": 1.75}
        chart.add_series(
            {
                "name": [MONTHS, row, 0],
                "categories": [MONTHS, 3, start, 3, end],
                "values": [MONTHS, row, start, row, end],
                "line": line,
            }
        )
    chart.set_title(
        {"name": "Present values so far, USD: the cheapest of each kind", "name_font": {"size": 11, "bold": True}}
    )
    chart.set_x_axis({"name": "Months from today", "interval_unit": 6, "num_font": {"size": 9}})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#E3E7EB"}}})
    chart.set_legend({"position": "right", "font": {"size": 9}})
    chart.set_size({"width": 1080, "height": 340})
    sheet.insert_chart(top, 1, chart)
