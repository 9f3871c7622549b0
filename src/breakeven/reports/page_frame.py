"""Page frame: what every HTML page shares: the template engine, the style sheet, what a browser may load (nothing)."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from breakeven.reports.chart_style import DARK, LINES, LOSS
from breakeven.reports.charts import Chart
from breakeven.reports.safe_text import safe, short, web_link

if TYPE_CHECKING:
    from jinja2 import Environment

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def environment() -> Environment:
    """Templates that escape everything, after `safe` has taken out what could steer or reverse a line."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("breakeven.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_control_characters,
    )
    made.filters.update(short=short, link=web_link)
    return made


def chart_markup(chart: Chart) -> dict[str, Any]:
    """A chart as the templates take it."""
    from markupsafe import Markup

    return {
        "name": chart.name,
        "caption": chart.caption,
        "wide": Markup(chart.wide_svg),  # noqa: S704 drawn by vl-convert, which escapes; tested with hostile names
        "narrow": Markup(chart.narrow_svg),  # noqa: S704
    }


def style_sheet(*more_files: str) -> object:
    """The style sheet, with the rules that swap each chart colour for its dark one and for a hatch in print."""
    from markupsafe import Markup

    folder = files("breakeven.reports").joinpath("templates")
    text = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", *more_files))
    dark = "\n".join(_recolour(light, colour) for light, colour in DARK.items())
    hatched = "\n".join(f'  .chart [fill="{colour}"] {{ fill: url(#hatch-{i}); }}' for i, colour in enumerate(LINES))
    text += f"\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n@media print {{\n{hatched}\n}}\n"
    return Markup(f'{text}.chart [fill="{LOSS}"] {{ fill: url(#hatch-loss); }}\n')  # noqa: S704 our own file


def _without_control_characters(value: object) -> object:
    """Every text on its way into the page, except markup that was made here."""
    from markupsafe import Markup

    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _recolour(light: str, dark: str) -> str:
    return f'  .chart [fill="{light}"] {{ fill: {dark}; }} .chart [stroke="{light}"] {{ stroke: {dark}; }}'
