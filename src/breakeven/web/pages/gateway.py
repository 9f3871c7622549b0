"""Gateway: what flows through the gateway now"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("gateway", "Gateway", 6, "what flows through the gateway now", view)
