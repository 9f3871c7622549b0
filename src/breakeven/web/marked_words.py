"""Marked words: a sentence of ours with `code` in it, as markup; whatever else is in it stays text."""

from __future__ import annotations

from typing import Any

from breakeven.reports.safe_text import safe


def with_code(text: str) -> Any:
    """`text` with what stands between backticks as code.

    >>> str(with_code("run `breakeven audit` <now>"))
    'run <code>breakeven audit</code> &lt;now&gt;'
    >>> str(with_code("one ` alone"))
    'one ` alone'
    """
    from markupsafe import Markup, escape

    parts = safe(text).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
