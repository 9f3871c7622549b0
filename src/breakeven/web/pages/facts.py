"""Facts: every number that was taken as given, and where it comes from"""

from __future__ import annotations

from breakeven.web import exports
from breakeven.web.facts import routes, scenario_views, traces
from breakeven.web.facts.views import facts_view
from breakeven.web.page import Page

PAGE = Page(
    "facts",
    "Facts",
    7,
    "every number that was taken as given, and where it comes from",
    facts_view,
    (*routes.ROUTES, *scenario_views.ROUTES, *traces.ROUTES, *exports.ROUTES),
)
