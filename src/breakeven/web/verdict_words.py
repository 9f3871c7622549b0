"""Verdict words: every figure of the start page as it is, as it was and what the change makes of it, ready to print.

Template and script place the same figures by the same keys; neither writes a number of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from breakeven.reports import amounts, findings
from breakeven.reports import whatif_rows as rows
from breakeven.reports.decide_page import decide_page, inside
from breakeven.reports.document import Document
from breakeven.reports.option_part import Amount
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import main_options, status_quo
from breakeven.reports.whatif_document import OptionChangePart, VerdictPart, WhatIfDocument

NOT_COSTED: Final = "not costed"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the page."""

    now: str
    was: str = ""
    """Before the change; empty where it reads the same."""
    change: str = ""
    """The difference in words; empty where there is none to tell."""
    value: float | None = None
    """The number behind `now`, as the document has it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An option's present cost on the axis that all cards share, in percent of it."""

    low_percent: float
    high_percent: float
    mean_percent: float
    was_percent: float


@dataclass(frozen=True, slots=True)
class Words:
    """All that moves with the sliders."""

    changed: bool
    sentence: str
    base_sentence: str
    """As things are."""
    figures: Mapping[str, Figure]
    bars: Mapping[str, Bar]
    odds_percent: Mapping[str, float]
    recommended: str
    recommended_before: str
    shown: tuple[str, ...]
    """Names of the options that have a card."""

    def as_json(self) -> dict[str, Any]:
        """For the script, which only places it."""
        return {
            "changed": self.changed,
            "sentence": self.sentence,
            "figures": {key: [each.now, each.was, each.change, each.value] for key, each in self.figures.items()},
            "bars": {
                name: [each.low_percent, each.high_percent, each.mean_percent, each.was_percent]
                for name, each in self.bars.items()
            },
            "odds": dict(self.odds_percent),
            "recommended": self.recommended,
            "recommended_before": self.recommended_before,
            "shown": list(self.shown),
        }


def verdict_words(document: Document, found: WhatIfDocument) -> Words:
    """The figures of a what-if on the page of `document`; without a change it is the comparison itself."""
    changed = bool(found.changes)
    base = decide_page(document).sentence
    figures = _tiles(document, found)
    for part in found.options:
        figures |= _option_figures(document, part, found)
    shown = _shown(document, found)
    return Words(
        changed=changed,
        sentence=f"With your changes: {_inside(safe(found.sentence))}" if changed else base,
        base_sentence=base,
        figures=figures,
        bars=_bars([each for each in found.options if each.option in shown]),
        odds_percent={
            each.option: round(100 * each.after_cheapest_fraction, 2)
            for each in found.options
            if each.after_cheapest_fraction is not None
        },
        recommended=found.after.option,
        recommended_before=found.before.option,
        shown=shown,
    )


def key_of(option: str, figure: str) -> str:
    """Key of one figure of one option."""
    return f"option.{option}.{figure}"


def _inside(sentence: str) -> str:
    """A sentence behind a colon.

    >>> _inside("Still X: more."), _inside("The recommendation changes from A to B.")
    ('still X: more.', 'the recommendation changes from A to B.')
    """
    return sentence[:1].lower() + sentence[1:]


def _tiles(document: Document, found: WhatIfDocument) -> dict[str, Figure]:
    before, after = found.before, found.after
    months = [amounts.counted(each.months_count, "month") for each in (after, before)]
    odds = [amounts.odds(each.odds_fraction) for each in (after, before)]
    return {
        "tile.choice": _figure(short(after.title, 60), short(before.title, 60)),
        "tile.present": _expected(before.present_cost_usd, after.present_cost_usd),
        "tile.present_span": _span(before.present_cost_usd, after.present_cost_usd),
        "tile.month": _expected(before.usd_per_month, after.usd_per_month),
        "tile.month_span": _span(before.usd_per_month, after.usd_per_month),
        "tile.odds": _figure(*odds, after.odds_fraction),
        "tile.saves_label": Figure(_saves_label(document, found)),
        "tile.saves": _saves(document, found),
        "tile.months": _figure(*months),
        "tile.rival": _rival(found),
    }


def _saves_label(document: Document, found: WhatIfDocument) -> str:
    """What is set against what, after the change."""
    months = amounts.counted(found.after.months_count, "month")
    mover = _mover(document, found.after, _parts(found), after=True)
    if mover is not None and found.after.option == status_quo(document):
        return f"Moving to {inside(document, mover.option)}, over {months}"
    return f"Against staying as today, over {months}"


def _saves(document: Document, found: WhatIfDocument) -> Figure:
    """Expected present cost of staying as today less that of the recommended move, or of the best one."""
    parts = _parts(found)
    ends = []
    for verdict, after in ((found.before, False), (found.after, True)):
        today, mover = parts.get(status_quo(document) or ""), _mover(document, verdict, parts, after=after)
        there, here = (_present(each, after=after) for each in (today, mover))
        ends.append(None if there is None or here is None else there.mean - here.mean)
    words = ["no other option" if each is None else amounts.difference(each) for each in ends]
    return _figure(words[1], words[0], ends[1])


def _mover(
    document: Document, verdict: VerdictPart, parts: Mapping[str, OptionChangePart], *, after: bool
) -> OptionChangePart | None:
    """The recommended option; the best other one where staying as today is recommended."""
    today = status_quo(document)
    if verdict.option != today:
        return parts.get(verdict.option)
    gated = {each.name for each in document.options if each.only_if}
    costs = {
        name: present.mean
        for name, part in parts.items()
        if name != today and name not in gated and (present := _present(part, after=after)) is not None
    }
    return parts[min(costs, key=lambda name: costs[name])] if costs else None


def _rival(found: WhatIfDocument) -> Figure:
    """Who is lowest in most of the other futures."""
    others = [
        (each.after_cheapest_fraction or 0.0, each)
        for each in found.options
        if each.option != found.after.option and each.after_cheapest_fraction is not None
    ]
    if not others:
        return Figure("the only option")
    share, best = max(others, key=lambda pair: pair[0])
    return Figure(f"next: {short(best.title, 40)}, {amounts.odds(share)}")


def _option_figures(document: Document, part: OptionChangePart, found: WhatIfDocument) -> dict[str, Figure]:
    was, now = part.before_present_cost_usd, part.after_present_cost_usd
    month_was, month_now = part.before_usd_per_month, part.after_usd_per_month
    odds = (rows.odds_before(part), rows.odds_after(part))
    figures = {
        "present": _expected(was, now),
        "present_span": _span(was, now),
        "month": _expected(month_was, month_now),
        "month_span": _span(month_was, month_now),
        "odds": _figure(odds[1], odds[0], part.after_cheapest_fraction),
        "breakeven": _figure(
            _dashed(rows.breakeven_after(part)),
            _dashed(rows.breakeven_before(part)),
            part.after_always_above_mtok_per_month,
        ),
        "against": _against(document, part, found),
    }
    return {key_of(part.option, name): each for name, each in figures.items()}


def _against(document: Document, part: OptionChangePart, found: WhatIfDocument) -> Figure:
    """What it saves, or costs more, than staying as today, in expectation over the horizon."""
    today = _parts(found).get(status_quo(document) or "")
    if today is None or today.option == part.option:
        return Figure("today's")
    words: list[str] = []
    usd: float | None = None
    for after in (False, True):
        there, here = _present(today, after=after), _present(part, after=after)
        usd = None if there is None or here is None else there.mean - here.mean
        words.append(NOT_COSTED if usd is None else amounts.difference(usd))
    return _figure(words[1], words[0], usd)


def _parts(found: WhatIfDocument) -> dict[str, OptionChangePart]:
    return {each.option: each for each in found.options}


def _present(part: OptionChangePart | None, *, after: bool) -> Amount | None:
    if part is None:
        return None
    return part.after_present_cost_usd if after else part.before_present_cost_usd


def _expected(was: Amount | None, now: Amount | None) -> Figure:
    before, after = rows.expected_usd(was), rows.expected_usd(now)
    change = rows.difference_words(was, now)
    change = f"costs {change}" if change not in ("new", "gone") else change
    return Figure(
        _dashed(after),
        _dashed(before) if before != after or change != "costs the same" else "",
        change if change != "costs the same" else "",
        now.mean if now else None,
    )


def _span(was: Amount | None, now: Amount | None) -> Figure:
    return _figure(rows.span_usd(now), rows.span_usd(was))


def _figure(now: str, was: str, value: float | None = None) -> Figure:
    return Figure(now, was if was != now else "", "", value)


def _dashed(words: str) -> str:
    return NOT_COSTED if words == rows.NOT_COSTED else words


def _shown(document: Document, found: WhatIfDocument) -> tuple[str, ...]:
    """The shortlist of the report, and whatever the change recommends."""
    names = [each.name for each in main_options(document)]
    return tuple(dict.fromkeys((*names, found.before.option, found.after.option)))


def _bars(parts: Sequence[OptionChangePart]) -> dict[str, Bar]:
    """All on one axis from nothing to the largest P90 of what is shown."""
    ends = [each for part in parts for each in (part.before_present_cost_usd, part.after_present_cost_usd) if each]
    top = max((each.p90 for each in ends), default=0.0)
    if top <= 0:
        return {}
    found = {}
    for part in parts:
        now, was = part.after_present_cost_usd, part.before_present_cost_usd
        if now is not None:
            low, high, mean = (_percent(each, top) for each in (now.p10, now.p90, now.mean))
            found[part.option] = Bar(low, high, mean, _percent(was.mean, top) if was else mean)
    return found


def _percent(usd: float, top_usd: float) -> float:
    return round(min(max(100 * usd / top_usd, 0.0), 100.0), 2)


def today_words(document: Document) -> str:
    """What everything is compared with."""
    name = status_quo(document)
    if name is None:
        return "nothing: today's calls could not be priced"
    option = next(each for each in document.options if each.name == name)
    return f"{findings.title_of(document, name)}: {short(option.buys, 160)}"
