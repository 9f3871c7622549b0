"""Explain: find the Trace behind a name in a document, and give it as a tree."""

from __future__ import annotations

from typing import Any

from breakeven.errors import UnknownName, nearest
from breakeven.reports.document import Document


def explainable(document: Document) -> dict[str, str]:
    """``OPTION.LINE`` -> id of its trace node, for every cost line and both totals of every option."""
    roots: dict[str, str] = {}
    for option in document.options:
        roots.update({f"{option.name}.{line.name}": line.trace for line in option.lines})
        roots[f"{option.name}.total_usd_per_month"] = option.total_trace
        roots[f"{option.name}.cost_usd_per_success"] = option.cost_per_success_trace
    return roots


def find_trace(document: Document, name: str) -> str:
    """Id of the trace node of ``OPTION.LINE`` or ``OPTION.FACT``; the option may be left out where all agree.

    An option alone is its total a month.

    Raises UnknownName with the choices when options differ, else with the nearest name.
    """
    roots = explainable(document)
    if name in roots:
        return roots[name]
    if (total := f"{name}.total_usd_per_month") in roots:
        return roots[total]
    facts = _facts(document)
    if name in facts:
        return facts[name]
    known = {**roots, **facts}
    same = {full: root for full, root in known.items() if full.partition(".")[2] == name}
    if len(set(same.values())) == 1:
        return next(iter(same.values()))
    if same:
        raise UnknownName(f"'{name}' differs between options; choose one of: {', '.join(sorted(same))}")
    short = {full.partition(".")[2] for full in facts}
    raise UnknownName(f"no line or fact named '{name}' in this report; {nearest(name, [*roots, *sorted(short)])}")


def trace_tree(document: Document, root: str) -> dict[str, Any]:
    """The node `root` with its inputs nested, as plain data."""
    node = document.trace[root]
    tree = node.model_dump(mode="json", exclude={"inputs"})
    tree["inputs"] = [trace_tree(document, each) for each in node.inputs]
    return tree


def _facts(document: Document) -> dict[str, str]:
    """``OPTION.FACT`` -> id of the first node of that name below the option's lines and cost per success."""
    found: dict[str, str] = {}
    for option in document.options:
        open_nodes = [option.cost_per_success_trace, *(line.trace for line in option.lines)]
        seen: set[str] = set()
        while open_nodes:
            key = open_nodes.pop(0)
            if key in seen:
                continue
            seen.add(key)
            node = document.trace[key]
            found.setdefault(f"{option.name}.{node.name}", key)
            open_nodes += node.inputs
    return found
