"""Gateway on the terminal: what a configuration would serve, as a table of models and where each goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from breakeven.reports.safe_text import safe

if TYPE_CHECKING:
    from rich.console import Console


def render_served(page: Mapping[str, Any], cautions: Sequence[str], console: Console) -> None:
    """Print what `page` (the gateway's settings page) says."""
    from breakeven.reports.terminal_table import PlainTable

    processes = page["processes_count"]
    console.print(
        f"Good. It would listen on {page['listen']} with {processes} relay process{'es' if processes != 1 else ''}; "
        f"admin API and metrics on {page['admin']}.",
        markup=False,
    )
    table = PlainTable(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "upstream", "as", "USD per Mtok in / out", "then"):
        table.add_column(name, overflow="fold")
    for model, targets in page["models"].items():
        for place, target in enumerate(targets):
            fallbacks = ", ".join(page["fallbacks"].get(model, ())) if place == 0 else ""
            row = (model if place == 0 else "", target["upstream"], target["model"], _price(target["price"]), fallbacks)
            table.add_row(*(safe(str(each)) for each in row))
    if page["passthrough"]:
        table.add_row("(any other)", safe(page["passthrough"]), "as asked", "UNPRICED", "")
    console.print(table)
    for line in _facts(page):
        console.print(line, markup=False)
    for each in cautions:
        console.print(f"Mind: {safe(each)}", markup=False)


def _price(price: Mapping[str, Any] | None) -> str:
    if price is None:
        return "UNPRICED"
    if price["usd_per_request"] is not None and price["input_usd_per_mtok"] is None:
        return f"{price['usd_per_request']:g} per request"
    shown = " / ".join("?" if price[name] is None else f"{price[name]:g}" for name in _TOKEN_PRICES)
    return f"{shown} (amortised)" if price["source"] == "amortised" else shown


_TOKEN_PRICES = ("input_usd_per_mtok", "output_usd_per_mtok")


def _facts(page: Mapping[str, Any]) -> list[str]:
    keys = "open: no key is asked" if page["is_open"] else f"{page['keys_count']} in the file, more by the admin API"
    residency = page["residency_rules"]
    facts = [
        ("Policy", page["policy_folder"] or f"none; default model: {page['default_model'] or 'none'}"),
        ("Keys", f"{keys}; limits in {page['limits']}"),
        ("Residency", f"{len(residency)} rule{'s' if len(residency) != 1 else ''}" if residency else "no rule"),
        ("Calls", f"in {page['state_folder']}, durability {page['durability']}, prompts {page['prompts']}"),
    ]
    return [f"{name + ':':<11}{safe(str(value))}" for name, value in facts]
