"""Terminal claim: a checked claim as text: verdict, figures, missing lines, what is worth knowing, and the Trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from breakeven.catalog.load import Catalog
from breakeven.claims.check import CheckedClaim, Row
from breakeven.claims.estimates import LeftOut, MissingLine
from breakeven.facts.trace import Layer, Node
from breakeven.reports import amounts
from breakeven.reports.claim_wording import (
    factor_text,
    figure_text,
    headline,
    missing_names,
    recomputed_text,
    unit_text,
    verdict_sentence,
    wanted_text,
    with_lines_text,
)
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section

_STYLES = {
    "reproduced": "bold green",
    "lines_missing": "bold yellow",
    "trap": "bold yellow",
    "off": "bold red",
    "not_recomputed": "bold red",
}
_INSIDE = {"inside": "yes", "off": "NO", "not_recomputed": "NO", "shown": "-"}


def render_claim(checked: CheckedClaim, catalog: Catalog, console: Console, *, explain: bool = False) -> None:
    """Print one checked claim, verdict first."""
    entry = checked.file.entry
    read = f", read {amounts.date_text(entry.source.read.isoformat())}" if entry.source.read else ""
    origin = f"{entry.title} ({entry.source.title}; {entry.source.link}{read}; {entry.source.grade.value})"
    thin = any(row.with_lines is not None for row in checked.rows)
    print_parts(
        console,
        (
            Paragraph(verdict_sentence(checked), _STYLES[checked.verdict]),
            Paragraph(origin, "dim"),
            _figures(checked.rows, thin),
            section("UNPRICED, and not free", bullets(_problems(checked.rows, unpriced=True)), "bold red"),
            section("Not recomputed", bullets(_problems(checked.rows, unpriced=False)), "bold red"),
            section("What it may be instead", bullets(_suspects(checked.rows))),
            _missing(checked),
            section("Worth knowing", bullets(checked.flags)),
            section("Given, and used by no figure", bullets([", ".join(checked.unused)] if checked.unused else [])),
            section("Why it is wrong", bullets([entry.why_wrong] if entry.why_wrong else [])),
            section("Notes of the file", bullets([entry.notes] if entry.notes else [])),
            Paragraph(_footer(checked, catalog), "dim"),
        ),
    )
    if explain:
        for row in checked.rows:
            if row.node is not None:
                console.print()
                console.print(_tree(row))


def render_claims(every: Iterable[CheckedClaim], catalog: Catalog, console: Console) -> None:
    """One table of many checked claims."""
    found = list(every)
    good = sum(each.is_reproduced for each in found)
    table = plain_table()
    for title in ("claim", "figures", "worst", "verdict", "lines missing"):
        table.add_column(title, overflow="fold")
    for each in found:
        factors = [row.factor_ratio for row in each.rows if row.factor_ratio is not None]
        worst = max(factors, default=1.0)
        table.add_row(
            safe(each.file.name.removesuffix(".yaml")),
            str(sum(row.published is not None for row in each.rows)),
            f"{worst:.3f}x" if worst < 10 else amounts.ratio(worst),
            Text(each.verdict.replace("_", " "), style=_STYLES[each.verdict]),
            str(len(missing_names(each))),
        )
    lead = f"{good} of {len(found)} claims follow from their own inputs, each within its tolerance."
    print_parts(console, (Paragraph(lead, "bold"), table, Paragraph(f"Catalogue of {catalog.as_of}.", "dim")))


def _figures(rows: Sequence[Row], with_lines: bool) -> Table:
    table = plain_table()
    table.add_column("figure", no_wrap=True, overflow="ellipsis")
    table.add_column("unit", no_wrap=True)
    for title in ("published", "recomputed", "factor", "inside"):
        table.add_column(title, justify="right", no_wrap=title in ("factor", "inside"))
    if with_lines:
        table.add_column("with the missing lines", justify="right", overflow="fold")
    part = ""
    for row in rows:
        if row.part != part:
            part = row.part
            table.add_row(Text(safe(part) if part else "the whole claim", style="italic"))
        name = row.name.rpartition(".")[2]
        cells = [
            Text(("  " if part else "") + safe(name)),
            Text(unit_text(row.unit)),
            Text(wanted_text(row.published, row.unit)),
            Text(recomputed_text(row), style="bold"),
            Text(factor_text(row)),
            Text(_INSIDE[row.outcome], style="" if row.outcome in ("inside", "shown") else "bold red"),
        ]
        table.add_row(*cells, *([Text(with_lines_text(row))] if with_lines else []))
    return table


def _problems(rows: Sequence[Row], *, unpriced: bool) -> list[str]:
    found = [row for row in rows if row.problem and row.problem.startswith("UNPRICED: ") == unpriced]
    return [f"{row.name}: {row.problem.removeprefix('UNPRICED: ')}" for row in found]


def _suspects(rows: Sequence[Row]) -> list[str]:
    return [f"{row.name}: {each.text}" for row in rows for each in row.suspects]


def _missing(checked: CheckedClaim) -> RenderableType | None:
    left_out = checked.left_out
    row = headline(checked)
    shown = (row.part, left_out[row.part]) if row and row.part in left_out else _largest(left_out)
    if shown is None:
        return None
    part, found = shown
    size = amounts.counted(found.gpus_count, "GPU") if found.gpus_count else "size not given"
    of_part = f"{safe(part)}, " if part else ""
    table = plain_table()
    table.add_column("USD a month", no_wrap=True)
    for heading in ("low", "typical", "high"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for each in found.lines:
        table.add_row(*_line(each))
    others = sum(bool(each.lines) for each in left_out.values()) - 1
    more = [Paragraph(f"{amounts.counted(others, 'other part')}: see --json.", "dim")] if others else []
    return section(f"Lines it leaves out ({of_part}{found.deployment}, {size})", Group(table, *more))


def _largest(left_out: Mapping[str, LeftOut]) -> tuple[str, LeftOut] | None:
    """The part with the most lines missing; of those the largest fleet."""
    found = [(part, each) for part, each in left_out.items() if each.lines]
    return max(found, key=lambda pair: (len(pair[1].lines), pair[1].gpus_count or 0.0), default=None)


def _line(found: MissingLine) -> list[Text]:
    ends = (found.low_usd_per_month, found.typical_usd_per_month, found.high_usd_per_month)
    numbers = [Text(amounts.money(each) if each is not None else "-") for each in ends]
    note = found.reason
    if found.counted_usd_per_month is not None:
        note = f"the claim counts {amounts.money(found.counted_usd_per_month)}"
    if found.line.apart:
        note = "an expected loss, not in the sum"
    return [Text(found.line.title), *numbers, Text(note, style="dim")]


def _footer(checked: CheckedClaim, catalog: Catalog) -> str:
    counted = sorted({name for each in checked.left_out.values() for name in each.counted})
    lines = f" Lines it counts: {', '.join(counted)}." if counted else ""
    sized = f" Missing lines: catalogue of {catalog.as_of}." if checked.left_out else ""
    return f"Recomputed from the claim's own facts alone; tolerance {checked.file.entry.tolerance:.3g}.{lines}{sized}"


def _tree(row: Row) -> Tree:
    assert row.node is not None
    tree = Tree(_label(row.node, row.name), guide_style="dim")
    _grow(tree, row.node, set())
    return tree


def _grow(tree: Tree, node: Node, printed: set[int]) -> None:
    for each in node.inputs:
        if each.inputs and id(each) in printed:
            tree.add(_label(each, each.name).append("  (see above)", style="dim"))
            continue
        printed.add(id(each))
        _grow(tree.add(_label(each, each.name)), each, printed)


def _label(node: Node, name: str) -> Text:
    value = float(np.quantile(node.value, 0.5, method="inverted_cdf"))
    label = Text.assemble((short(name, 80), "bold"), "  ", (figure_text(value, node.unit), "cyan"), overflow="fold")
    if node.layer is Layer.SCENARIO:
        return label.append("  given by the claim", style="dim")
    if node.summary:
        label.append(f"\n{short(node.summary, 200)}")
    if node.formula:
        label.append(f"\nformula {short(node.formula, 160)}", style="dim")
    return label
