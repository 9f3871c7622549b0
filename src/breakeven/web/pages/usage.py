"""Usage: what is sent, what it costs, and whether it is steady enough to decide"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("usage", "Usage", 1, "what is sent, what it costs, and whether it is steady enough to decide", view)
