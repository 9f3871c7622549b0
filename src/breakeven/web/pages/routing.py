"""Routing: which task goes to which model, and what is guaranteed"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("routing", "Routing", 4, "which task goes to which model, and what is guaranteed", view)
