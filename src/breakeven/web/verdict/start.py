"""Start: what the start page is made of: the comparison, the sliders, and the answer to where they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.decision.answers.changes import UTILISATION
from breakeven.errors import BreakevenError
from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.verdict.slider_session import Opened, session
from breakeven.web.verdict.slider_state import (
    Changes,
    Stand,
    changes_of,
    command_of,
    contradictions,
    query_of,
    stand_of,
    why_not,
    without,
)
from breakeven.web.verdict.words import Words, verdict_words

if TYPE_CHECKING:
    from breakeven.reports.document import Amount, Document, OptionPart
    from breakeven.reports.whatif_document import ChangePart, WhatIfDocument
    from breakeven.web.page import Ask, Desk

CURVES: Final = ("cost_curves", "volume_view")
"""Charts that follow the sliders."""
STILL: Final = ("tornado",)
"""Charts of things as they are."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is different, and how to undo it."""

    name: str
    title: str
    before: str
    after: str
    note: str
    reset: str
    """Address without it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that was asked and could not be taken."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Start:
    """The start page under some changes."""

    document: Document
    key: str
    """Of the comparison: what it is made of."""
    opened: Opened | None
    """None: the sliders are still being prepared, or could not be."""
    preparing: Job | None
    found: WhatIfDocument
    words: Words
    changes: Changes
    stands: tuple[Stand, ...]
    told: tuple[Told, ...]
    command: str
    refused: tuple[Refused, ...] = ()
    """What of the address could not be taken."""

    @property
    def query(self) -> str:
        """The changes as the address says them."""
        return query_of(self.changes)

    @property
    def others(self) -> Changes:
        """The changes that have no slider."""
        names = {each.name for each in self.stands}
        return tuple(each for each in self.changes if each[0] not in names)

    def reset_of(self, stand: Stand) -> str:
        """Address with one slider back where the project stands."""
        return f"/{query_of(without(self.changes, stand.name))}"

    def as_json(self) -> dict[str, Any]:
        """For the script of the page."""
        return {
            **self.words.as_json(),
            "url": f"/{self.query}",
            "command": self.command,
            "refused": [[each.name, each.why] for each in self.refused],
            "told": [[each.name, each.title, each.before, each.after, each.note, each.reset] for each in self.told],
            "stands": {each.name: [each.here_count, each.text, each.words, each.typed] for each in self.stands},
        }


def start(ask: Ask) -> Start | Job:
    """The start page, or the work that it waits for. Raises UsageError where there are no calls."""
    desk, recipe = ask.desk, documents.comparison_recipe(ask.desk)
    document = documents.comparison(desk, recipe)
    if isinstance(document, Job):
        return document
    if isinstance(recipe, Job):
        return recipe
    opened, asked = session(desk, asked=recipe), changes_of(ask.said)
    if isinstance(opened, Job):
        if asked and not opened.is_given_up:
            return opened
        return _without_sliders(document, recipe.key, opened, asked)
    return under(desk, document, opened, changes_of(ask.said, opened.sliders))


def under(desk: Desk, document: Document, opened: Opened, asked: Changes) -> Start:
    """The page under some changes; without those that are impossible, and saying why."""
    refused = _refused(desk, opened, asked)
    changes = tuple(each for each in asked if each[0] not in {one.name for one in refused})
    changes, found, more = _answered(desk, opened, changes)
    refused = (*refused, *more)
    stands = tuple(stand_of(each, changes, asked) for each in opened.sliders)
    titles = {each.name: each.slider.title for each in stands}
    return Start(
        document=document,
        key=opened.key,
        opened=opened,
        preparing=None,
        found=found,
        words=verdict_words(document, found),
        changes=changes,
        stands=stands,
        told=tuple(_told(each, changes, titles) for each in found.changes),
        command=command_of(desk.project, changes) if changes else "",
        refused=refused,
    )


def _answered(desk: Desk, opened: Opened, changes: Changes) -> tuple[Changes, WhatIfDocument, tuple[Refused, ...]]:
    """The answer to as many of the changes as there is one to: all, those with a slider, or none."""
    names = {each.name for each in opened.sliders}
    refused: tuple[Refused, ...] = ()
    for tried in (changes, tuple(each for each in changes if each[0] in names)):
        try:
            return tried, opened.session.answer(tried), refused
        except BreakevenError as error:
            refused = (Refused("", desk.project.without_places(str(error))),)
    return (), opened.session.answer(()), refused


def _refused(desk: Desk, opened: Opened, asked: Changes) -> tuple[Refused, ...]:
    """Those changes that no scenario could hold, or that contradict each other."""
    twice = contradictions(asked)
    found = [Refused(name, why) for name, why in twice.items()]
    sliders = {each.name: each for each in opened.sliders if not each.disabled}
    for name, text in (each for each in asked if each[0] not in twice):
        try:
            opened.session.scenario(((name, text),))
        except BreakevenError as error:
            why, slider = desk.project.without_places(str(error)), sliders.get(name)
            found.append(Refused(name, why_not(slider, text, why) if slider else why))
    return tuple(found)


def _without_sliders(document: Document, key: str, job: Job, asked: Changes) -> Start:
    from breakeven.reports.whatif_base import as_it_is

    why = "the sliders are not prepared; once they are, it counts"
    refused = tuple(Refused(name, f"{name}={text}: {why}") for name, text in asked)
    found = as_it_is(document)
    return Start(document, key, None, job, found, verdict_words(document, found), (), (), (), "", refused)


def _told(part: ChangePart, changes: Changes, titles: Mapping[str, str]) -> Told:
    from breakeven.reports import amounts

    fact = amounts.fact_title(part.name)
    title = titles.get(part.said, fact)
    if part.said == UTILISATION:
        title = f"{title}, as {fact[:1].lower()}{fact[1:]}"
    return Told(part.said, title, part.before, part.after, part.note, f"/{query_of(without(changes, part.said))}")


def moved_document(found: Start, *, ranges: bool) -> Document:
    """The comparison with the curves that the changes give; ranges along the axis take a second or two."""
    document, opened = found.document, found.opened
    if not found.changes or opened is None:
        return document
    months = {each.option: each.after_usd_per_month for each in found.found.options}
    options = tuple(_at(each, months.get(each.name)) for each in document.options)
    session = opened.session
    curves = session.curves_with_ranges(found.changes) if ranges else session.curves(found.changes)
    return document.model_copy(update={"breakeven": curves, "options": options})


def _at(option: OptionPart, month: Amount | None) -> OptionPart:
    """An option at another cost; one that cannot be costed any more keeps its place, so that every letter stays."""
    return option if month is None else option.model_copy(update={"equal_success_usd_per_month": month})


def curve_context(desk: Desk, found: Start, *, ranges: bool = True) -> dict[str, Any]:
    """What the template of the cost curves is given; the drawings are kept by what they are made of."""
    from breakeven.reports import amounts, findings
    from breakeven.reports.chart_style import series_of

    document = moved_document(found, ranges=ranges)
    return {
        "words": found.words,
        "charts": _drawn(desk, document, "verdict-curves", (found.key, json.dumps([found.changes, ranges])), CURVES),
        "series": {each.name: each for each in series_of(document)},
        "volume_here": amounts.volume(document.breakeven.volume_mtok_per_month),
        "crossings": crossing_words(document),
        "curves_finding": findings.curves_finding(document),
    }


def crossing_words(document: Document) -> tuple[str, ...]:
    """Every change of the cheapest option, then where each main option and today's cross."""
    from breakeven.reports import amounts, findings

    changes = tuple(
        f"From {amounts.volume(each.mtok_per_month, 5)} a month {findings.title_of(document, each.to_option)} is the "
        f"cheapest, not {findings.title_of(document, each.from_option)}: "
        + ("a cost jumps by a whole step" if each.kind == "step" else "two lines cross")
        for each in document.breakeven.crossings
    )
    return (*changes, *findings.main_pair_sentences(document))


def still_charts(desk: Desk, document: Document, key: str) -> dict[str, dict[str, Any]]:
    """What could change the answer, drawn."""
    return _drawn(desk, document, "verdict-charts", (key,), STILL)


def _drawn(
    desk: Desk, document: Document, name: str, made_of: tuple[str, ...], only: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    from breakeven.reports.charts import Chart, draw_charts
    from breakeven.reports.page_frame import chart_markup

    def make() -> str:
        drawn = draw_charts(document, only)
        return json.dumps({each.name: [each.caption, each.wide_svg, each.narrow_svg] for each in drawn.values()})

    kept = json.loads(desk.shelf.keep(name, made_of, make))
    return {name: chart_markup(Chart(name, *parts)) for name, parts in kept.items()}
