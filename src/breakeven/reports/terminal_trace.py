"""Terminal trace: the tree behind one number, down to its Sources, with the layer that won and those that lost."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from breakeven.errors import DocumentError, nearest
from breakeven.reports.document import Document, SourcePart, TraceNodePart
from breakeven.reports.safe_text import safe, short, web_link
from breakeven.reports.terminal_text import Paragraph
from breakeven.reports.trace_wording import HOW, shadow_text, source_text, value_text


def render_trace(document: Document, root_id: str, console: Console) -> None:
    """Print the tree below the node `root_id`; a subtree that several parents share is printed once."""
    if root_id not in document.trace:
        raise DocumentError(f"no number '{safe(root_id)}' in this document; {nearest(root_id, list(document.trace))}")
    tree = Tree(_label(document.trace[root_id]), guide_style="dim")
    _grow(tree, document, document.trace[root_id].inputs, {root_id})
    console.print(tree)
    console.print(Paragraph(HOW, "dim"))


def _grow(tree: Tree, document: Document, inputs: tuple[str, ...], printed: set[str]) -> None:
    """Add the inputs below `tree`, each subtree once."""
    for key in inputs:
        node = document.trace.get(key)
        if node is None:
            tree.add(Text(f"{short(key, 80)}: not in this document", style="bold red"))
        elif key in printed:
            again = _heading(node)
            tree.add(again.append("  (see above)", style="dim") if node.inputs or node.source else again)
        else:
            printed.add(key)
            _grow(tree.add(_label(node)), document, node.inputs, printed)


def _heading(node: TraceNodePart) -> Text:
    """Name and value on one line."""
    return Text.assemble((short(node.name, 80), "bold"), "  ", (value_text(node), "cyan"), overflow="fold")


def _label(node: TraceNodePart) -> Text:
    """Heading, then what it means, how it was made, who supplied it, who lost, and where it comes from."""
    label = _heading(node)
    if node.summary:
        label.append(f"\n{short(node.summary, 300)}")
    if node.formula:
        label.append(f"\nformula {short(node.formula, 120)}", style="dim")
    for each in node.shadowed:
        label.append(f"\n{shadow_text(node, each)}", style="yellow")
    if node.source is not None:
        _append_source(label, node, node.source)
    return label


def _append_source(label: Text, node: TraceNodePart, source: SourcePart) -> None:
    label.append(f"\n{source_text(node, source)}")
    if source.link and source.link not in source.title:
        link = web_link(source.link)
        label.append(f"\n{short(source.link, 200)}", style=f"dim link {link}" if link else "dim")
