"""Facts: every number that was taken as given, and where it comes from"""

from __future__ import annotations

from breakeven.web import exports, fact_routes, scenario_pages, trace_pages
from breakeven.web.fact_pages import facts_view
from breakeven.web.page import Page

PAGE = Page(
    "facts",
    "Facts",
    7,
    "every number that was taken as given, and where it comes from",
    facts_view,
    (*fact_routes.ROUTES, *scenario_pages.ROUTES, *trace_pages.ROUTES, *exports.ROUTES),
)
