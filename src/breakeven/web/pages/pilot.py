"""Pilot: whether the savings are proven yet"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("pilot", "Pilot", 5, "whether the savings are proven yet", view)
