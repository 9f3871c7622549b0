"""Chart shelf: a chart that was drawn once is kept; drawing costs more than everything else on a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from breakeven.reports.charts import Chart
    from breakeven.web.page import Desk


def kept_chart(
    desk: Desk, name: str, made_of: tuple[str, ...], draw: Callable[[], Chart | None]
) -> dict[str, Any] | None:
    """The chart as templates take it; None where there is nothing to draw."""
    from breakeven.reports.charts import Chart
    from breakeven.reports.page_frame import chart_markup

    def make() -> str:
        drawn = draw()
        return json.dumps(None if drawn is None else asdict(drawn))

    body = json.loads(desk.shelf.keep(f"chart-{name}", made_of, make))
    return None if body is None else chart_markup(Chart(**body))
