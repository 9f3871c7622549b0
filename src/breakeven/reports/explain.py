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
    """Id of the trace node of ``OPTION.LINE``, of a ``LINE`` that only one option has, or of a fact.

    Raises UnknownName with the choices when several options have the line, else with the nearest name.
    """
    roots = explainable(document)
    if name in roots:
        return roots[name]
    lines = {full: root for full, root in roots.items() if full.partition(".")[2] == name}
    if len(set(lines.values())) == 1:
        return next(iter(lines.values()))
    if lines:
        raise UnknownName(f"several options have a line '{name}'; choose one of: {', '.join(sorted(lines))}")
    for key, node in document.trace.items():
        if node.name == name:
            return key
    known = [*roots, *{node.name for node in document.trace.values()}]
    raise UnknownName(f"no line or fact named '{name}' in this report; {nearest(name, known)}")


def trace_tree(document: Document, root: str) -> dict[str, Any]:
    """The node `root` with its inputs nested, as plain data."""
    node = document.trace[root]
    tree = node.model_dump(mode="json", exclude={"inputs"})
    tree["inputs"] = [trace_tree(document, each) for each in node.inputs]
    return tree
