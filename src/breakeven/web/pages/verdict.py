"""Verdict: what to do, how sure that is, and what would change it"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("verdict", "Verdict", 0, "what to do, how sure that is, and what would change it", view)
