"""Fleet: what GPUs of your own would have to carry, and what stands idle"""

from __future__ import annotations

from breakeven.web.page import Ask, Page, View


def view(ask: Ask) -> View:
    """What the page shows."""
    return View("empty.html.j2", {"folder": ask.desk.project.folder})


PAGE = Page("fleet", "Fleet", 3, "what GPUs of your own would have to carry, and what stands idle", view)
