"""Facts: every number that was taken as given, and where it comes from"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("facts", "Facts", 7, "every number that was taken as given, and where it comes from", view)
