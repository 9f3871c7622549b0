"""Audit: which kinds of work the calls are, and what a small model can do of each"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("audit", "Audit", 2, "which kinds of work the calls are, and what a small model can do of each", view)
