"""Facts: every number that was taken as given, and where it comes from"""

from __future__ import annotations

from breakeven.web import exports
from breakeven.web.facts import routes, scenario_views, traces
from breakeven.web.facts.views import facts_view
from breakeven.web.page import Page, Part

PAGE = Page(
    "facts",
    "Facts",
    7,
    "every number that was taken as given, and where it comes from",
    facts_view,
    (*routes.ROUTES, *scenario_views.ROUTES, *traces.ROUTES, *exports.ROUTES),
    (
        Part("/export", "Export", "the comparison to take away"),
        Part("/trace", "What is behind a number", "the tree behind any number of the comparison"),
        Part(
            "/facts/scenarios/compare",
            "Two scenarios side by side",
            "what one scenario answers, and what the other does",
        ),
        Part("/facts/scenarios", "Saved scenarios", "what was set with the sliders, kept under a name"),
    ),
)
