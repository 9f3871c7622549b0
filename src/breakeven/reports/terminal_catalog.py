"""Terminal catalogue: the pages of `breakeven catalog` as text; in 80 columns ranges stand below typical values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import amounts
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, next_step, print_parts, section

Page = Mapping[str, Any]
WIDE_FROM_COLUMNS: Final = 116
MOVES_SHOWN_COUNT: Final = 20
NAMES_SHOWN_COUNT: Final = 12
_HEADINGS: Final = {
    "token_offer": "Tokens for sale",
    "gpu_offer": "GPUs for rent and to buy",
    "endpoint": "Managed endpoints, per GPU hour",
    "fact": "Facts",
    "exchange_rate": "Exchange rates",
    "gpu": "GPUs",
    "model": "Open models",
    "provider": "Providers",
    "carbon": "Carbon of the grid",
}


def render_list(page: Page, console: Console) -> None:
    """Entries by kind, each with its figures, its age and its grade."""
    shown = page["entries"]
    parts: list[RenderableType | None] = [Paragraph(_list_verdict(page), "bold")]
    for kind, group in groupby(shown, key=lambda each: each["kind"]):
        parts.append(section(_HEADINGS[kind], _entries_table(list(group), console.width)))
    hidden = [f"{count:,} of kind {kind}: --kind {kind}" for kind, count in page["not_shown"].items()]
    parts.append(section("Not shown", bullets(hidden)))
    if shown:
        parts.append(next_step(f"breakeven catalog show {shown[0]['name']}"))
    print_parts(console, parts)


def _list_verdict(page: Page) -> str:
    count = len(page["entries"]) + sum(page["not_shown"].values())
    if not count:
        return f"None of {page['entries_count']:,} entries fits; leave out a filter."
    old = page["stale_count"]
    said = f"{old:,} must be looked at again (STALE)" if old else "none of them is stale"
    of = "All" if count == page["entries_count"] else f"{count:,} of"
    return f"{of} {page['entries_count']:,} entries, as of {amounts.date_text(page['as_of'])}; {said}."


def _entries_table(shown: Sequence[Page], width: int) -> Table:
    wide = width >= WIDE_FROM_COLUMNS
    table = plain_table()
    table.add_column("name", overflow="fold", min_width=20, max_width=None if wide else 34)
    table.add_column("typical (low to high)" if wide else "typical\n(low to high)", overflow="fold", ratio=2)
    if wide:
        table.add_column("read", no_wrap=True)
    table.add_column("age\ndays", justify="right", no_wrap=True)
    table.add_column("grade", no_wrap=True)
    for each in shown:
        read = [each["source"]["read"]] if wide else []
        mark = "yellow" if each["stale"] else ""
        grade = f"{each['source']['grade']}{' STALE' if each['stale'] and wide else ''}"
        age = f"{each['age_days']:,}{'' if wide or not each['stale'] else ' !'}"
        if not wide and each["stale"]:
            grade, age = f"{grade}\nSTALE", f"{each['age_days']:,}"
        table.add_row(safe(each["name"]), _figures(each, wide), *read, age, Text(grade, style=mark))
    return table


def _figures(entry: Page, wide: bool) -> Text:
    """One line per number; the words when there is none."""
    lines = [_figure(each, wide) for each in entry["figures"]]
    if not lines:
        return Text(safe(entry["text"]), style="dim")
    if len(lines) > 1 and all(each["low"] == each["high"] for each in entry["figures"]):
        return Text("; ".join(lines))
    return Text("\n".join(lines))


def _figure(figure: Page, wide: bool) -> str:
    label = f"{_label(figure['label'])} " if figure["label"] else ""
    typical, unit = _number(figure["typical"]), _unit(figure["unit"])
    if figure["low"] == figure["high"]:
        return f"{label}{typical} {unit}".strip()
    span = f"({_number(figure['low'])} to {_number(figure['high'])})"
    return f"{label}{typical} {span} {unit}".strip() if wide else f"{label}{typical} {unit}\n{span}"


def _label(label: str) -> str:
    return amounts.fact_title(label).lower().replace("gpu", "GPU") if "_" in label else label


def _unit(unit: str) -> str:
    words = {"count": "", "fraction": "", "ratio": "", "gigabyte": "GB", "gigabyte/s": "GB/s", "teraflop/s": "TFLOP/s"}
    more = {"watt": "W", "token": "tokens", "byte/token": "bytes/token", "gram/kwh": "g/kWh"}
    plain = {**words, **more}.get(unit, unit)
    return plain.replace("usd", "USD").replace("mtok", "Mtok").replace("kwh", "kWh")


def _number(value: float) -> str:
    """Four digits or as many as it has, without an exponent."""
    return amounts.number(value, 4)


def render_show(page: Page, console: Console) -> None:
    """One entry: what it says now, its history, the quotes of its last row, and who reads it."""
    parts: list[RenderableType | None] = []
    for entry in page["entries"]:
        title = f": {entry['title']}" if entry["title"] else ""
        parts += [
            Paragraph(f"{entry['name']} ({entry['kind'].replace('_', ' ')}){title}", "bold"),
            bullets(list(_now(entry))),
            section("Other price lists", bullets([_price_list(each) for each in entry.get("price_lists", ())])),
            section("Sources", bullets([_zone_source(each) for each in entry.get("sources", ())])),
        ]
    if not page["in_force"]:
        parts.append(Paragraph(f"{page['name']} is not in force on {page['as_of']}.", "bold"))
    rows = page["history"]
    dated = [each for each in rows if each["since"]]
    wide = console.width >= WIDE_FROM_COLUMNS
    told = _history_table(dated) if wide else bullets([_dated_line(each) for each in dated])
    parts.append(section("History", told if dated else None))
    quoted = [each for each in rows if each["quotes"]]
    parts += [_quotes(quoted[-1])] if quoted else []
    parts.append(section("Notes", bullets(list(_notes(rows)))))
    formulas = [f"{each['formula'].removeprefix('breakeven.')}: {each['summary']}" for each in page["formulas"]]
    parts.append(section("Formulas that read it", bullets(formulas)))
    named = [each.removeprefix("breakeven.") for each in page["named_in"]]
    parts.append(section("Modules that name it", bullets([", ".join(named)] if named else [])))
    print_parts(console, parts)


def _now(entry: Page) -> Iterator[str]:
    for figure in entry["figures"]:
        yield _figure(figure, wide=True)
    if entry["text"]:
        yield entry["text"]
    source = entry["source"]
    old = "STALE" if entry["stale"] else "fresh"
    unconfirmed = "; announced, and never confirmed" if entry["unconfirmed"] else ""
    days = entry["age_days"]
    age = f"{amounts.counted(days, 'day')} ago" if days >= 0 else amounts.age(days)
    yield f"read {amounts.date_text(source['read'])}, {age}, limit {entry['limit_days']}: {old}{unconfirmed}"
    yield f"{source['grade']}: {source['title']} ({source['link']})"


def _price_list(quote: Page) -> str:
    cached = quote["cache_read_usd_per_mtok"]
    middle = "" if cached is None else f", {_number(cached)} cached"
    prices = f"{_number(quote['input_usd_per_mtok'])} in{middle}, {_number(quote['output_usd_per_mtok'])} out"
    return f"{quote['title']}, read {quote['read']}: {prices}{_uncounted(quote)}"


def _uncounted(quote: Page) -> str:
    return "" if quote["counted"] else f" (not counted: {quote['left_out'] or 'too old'})"


def _zone_source(value: Page) -> str:
    return f"{_number(value['g_per_kwh'])} g/kWh: {value['title']} ({value['link']}), read {value['read']}"


def _dated_line(row: Page) -> str:
    what = f"{row['what']} " if row["what"] else ""
    source = row["source"]
    said = f"{source['grade']}: {source['title']} ({source['link']}), read {source['read']}"
    return f"{row['since']}: {what}{_row_value(row)}. {said}. {row['where']}"


def _history_table(rows: Sequence[Page]) -> Table:
    table = plain_table()
    table.add_column("since", no_wrap=True)
    if len({each["what"] for each in rows}) > 1:
        table.add_column("fact", overflow="fold")
    table.add_column("value", overflow="fold")
    table.add_column("read", no_wrap=True)
    table.add_column("grade", no_wrap=True)
    table.add_column("source", overflow="fold", ratio=1)
    for each in rows:
        what = [safe(each["what"])] if len({row["what"] for row in rows}) > 1 else []
        source = f"{safe(each['source']['title'])}\n{safe(each['source']['link'])}\n{each['where']}"
        table.add_row(each["since"], *what, _row_value(each), each["source"]["read"], each["source"]["grade"], source)
    return table


def _row_value(row: Page) -> str:
    value = {name: number for name, number in row["value"].items() if number is not None}
    if not value:
        return "unpriced" if row["note"].startswith("unpriced") else "no value from this day on"
    unit = _unit(row["unit"]) + (", expected" if row["expected"] else "")
    if "typical" not in value:
        return "; ".join(f"{name} {_number(number)}" for name, number in value.items()) + f" {unit}"
    if value["low"] == value["high"]:
        return f"{_number(value['typical'])} {unit}"
    return f"{_number(value['typical'])} ({_number(value['low'])} to {_number(value['high'])}) {unit}"


def _quotes(row: Page) -> RenderableType | None:
    table = plain_table()
    table.add_column("provider", overflow="fold")
    table.add_column("USD per GPU hour", justify="right")
    table.add_column("GPUs", justify="right")
    table.add_column("", overflow="fold")
    for each in sorted(row["quotes"], key=lambda quote: quote["usd_per_gpu_hour"]):
        price, count = _number(each["usd_per_gpu_hour"]), str(each["gpus_count"])
        table.add_row(safe(each["provider"]), price, count, safe(each["segment"]))
    return section(f"Quotes behind the range since {row['since']}", table)


def _notes(rows: Sequence[Page]) -> Iterator[str]:
    for each in rows:
        if each["note"]:
            yield f"{each['since']}: {each['note']}" if each["since"] else each["note"]


def render_check(page: Page, console: Console) -> None:
    """Sound or not is known by now: what is old, unconfirmed, odd or unchecked."""
    old = page["stale"]
    announced = [f"{each['name']} from {each['since']}{_at(each)}" for each in page["announced"]]
    unchecked = page["unchecked_prices"]
    folder, lists = page["refreshed"]["folder"], page["refreshed"]["token_lists"]
    print_parts(
        console,
        (
            Paragraph(_check_verdict(page), "bold"),
            section("STALE: to be looked at again", _stale_table(old), "bold yellow"),
            section(
                "Announced, and not confirmed since their day came",
                bullets([f"{each['name']}{_at(each)}" for each in page["unconfirmed"]]),
                "bold yellow",
            ),
            section("Announced for a day to come", bullets(announced)),
            section("Odd, but possible", bullets(page["warnings"])),
            section(
                f"Priced by genai-prices {unchecked['version']}, which nobody has checked" if unchecked else "",
                bullets([_names(unchecked["offers"])]) if unchecked else None,
            ),
            section(
                "Refreshed on this machine",
                bullets([f"{folder}: token lists of {', '.join(lists)}" if lists else folder]) if folder else None,
            ),
            next_step("breakeven catalog refresh" if old else "breakeven catalog list"),
        ),
    )


def _stale_table(old: Sequence[Page]) -> Table | None:
    if not old:
        return None
    table = plain_table()
    table.add_column("entry", overflow="fold")
    table.add_column("age, days", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("where", no_wrap=True)
    for each in old:
        name = safe(each["name"]).removesuffix(".gpu_rent_usd_per_gpu_hour")  # the fact that a rent offer is about
        table.add_row(name, f"{each['age_days']:,}", str(each["limit_days"]), each["where"])
    return table


def _check_verdict(page: Page) -> str:
    old = len(page["stale"])
    said = f"{old:,} must be looked at again" if old else "none is stale"
    return f"Every row is sound: {page['entries_count']:,} entries as of {amounts.date_text(page['as_of'])}; {said}."


def _at(row: Page) -> str:
    return f" ({row['where']})" if row["where"] else ""


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN_COUNT} more" if len(names) > NAMES_SHOWN_COUNT else ""
    return ", ".join(names[:NAMES_SHOWN_COUNT]) + more


def render_refresh(page: Page, console: Console) -> None:
    """What moved, what waits for a yes, what kept its last price, and what was read."""
    moves = page["moves"]
    news = [each for each in moves if each["status"] in ("changed", "new")]
    ours, others = _split(news)
    held = [each for each in moves if each["status"] == "held_back"]
    kept = [each for each in moves if each["status"] == "kept"]
    print_parts(
        console,
        (
            Paragraph(_refresh_verdict(page), "bold"),
            section("Offers of the catalogue", _moves_table(ours, console.width)),
            section(f"Other listed models, {_models(others)}", _moves_table(others, console.width)),
            section("HELD BACK: the last good price stays", bullets(list(_held(held))), "bold yellow"),
            section("Kept: nothing newer", bullets(list(_kept(kept)))),
            section("Read", bullets(page["read"])),
            next_step("breakeven catalog refresh --write") if page["files"] and not page["written"] else None,
        ),
    )


def _refresh_verdict(page: Page) -> str:
    counts = page["counts"]
    parts = [
        f"{counts['changed']:,} price{'s' if counts['changed'] != 1 else ''} changed",
        f"{counts['new']:,} new",
        f"{counts['held_back']:,} held back",
        f"{counts['kept']:,} kept",
        f"{counts['unchanged']:,} the same",
    ]
    wrote = page["written"] and page["files"]
    end = f"Written to {page['folder']}." if wrote else "Nothing written."
    return f"{', '.join(parts)}. {end}"


def _split(moves: Sequence[Page]) -> tuple[list[Page], list[Page]]:
    return [each for each in moves if each["in_catalogue"]], [each for each in moves if not each["in_catalogue"]]


def _models(moves: Sequence[Page]) -> str:
    names = len({each["name"] for each in moves})
    shown = f"the first {MOVES_SHOWN_COUNT} prices shown, --json has all" if len(moves) > MOVES_SHOWN_COUNT else "all"
    return f"{names:,} ({shown})"


def _moves_table(moves: Sequence[Page], width: int) -> Table | None:
    if not moves:
        return None
    table = plain_table()
    table.add_column("name", overflow="fold")
    table.add_column("price", overflow="fold")
    for head in ("old", "new", "change"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    if width >= WIDE_FROM_COLUMNS:
        table.add_column("rests on", overflow="fold", ratio=1)
    for each in moves[:MOVES_SHOWN_COUNT]:
        old, new, change = each["old"], each["new"], each["change_fraction"]
        row = [
            short(each["name"], 48),
            each["price"],
            "-" if old is None else _number(old),
            "-" if new is None else _number(new),
            "new" if change is None else f"{100 * change:+.1f} %",
            _unit(each["unit"]),
        ]
        table.add_row(*row, *([safe(each["reason"])] if width >= WIDE_FROM_COLUMNS else []))
    return table


def _held(moves: Sequence[Page]) -> Iterator[str]:
    """Each name once, with the price that gave the reason."""
    shown = 0
    for name, group in groupby(moves, key=lambda each: each["name"]):
        first = max(group, key=lambda each: abs(each["change_fraction"] or 0.0))
        if shown < MOVES_SHOWN_COUNT:
            old = "-" if first["old"] is None else _number(first["old"])
            new = "-" if first["new"] is None else _number(first["new"])
            yield f"{safe(name)}, {first['price']} {old} to {new} {_unit(first['unit'])}: {first['reason']}"
        shown += 1
    if shown > MOVES_SHOWN_COUNT:
        yield f"and {shown - MOVES_SHOWN_COUNT:,} more names: --json has all; --accept all believes all"


def _kept(moves: Sequence[Page]) -> Iterator[str]:
    for reason, group in groupby(sorted(moves, key=lambda each: str(each["reason"])), key=lambda each: each["reason"]):
        yield f"{reason}: {_names([each['name'] for each in group])}"


RENDER: Final[Mapping[str, Callable[[Page, Console], None]]] = {
    "list": render_list,
    "show": render_show,
    "check": render_check,
    "refresh": render_refresh,
}
"""Page of which subverb -> how to print it."""
