"""Words: every figure of the start page as it is, as it was and what the change makes of it, ready to print.

Template and script place the same figures by the same keys; neither writes a number of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
_ODDS: Final = re.compile(r"([<>]?\d+ of 100(?: futures)?)")


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
class Piece:
    """A piece of the sentence."""

    text: str
    is_odds: bool
    spaced: bool
    """Whether a space stands before it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An option's present cost on the axis that all cards share, as shares of it."""

    low_fraction: float
    high_fraction: float
    mean_fraction: float
    was_fraction: float


@dataclass(frozen=True, slots=True)
class Words:
    """All that moves with the sliders."""

    changed: bool
    sentence: tuple[Piece, ...]
    base_sentence: str
    """As things are."""
    figures: Mapping[str, Figure]
    bars: Mapping[str, Bar]
    odds_fraction: Mapping[str, float]
    recommended: str
    recommended_before: str
    shown: tuple[str, ...]
    """Names of the options that have a card."""

    def as_json(self) -> dict[str, Any]:
        """For the script, which only places it."""
        return {
            "changed": self.changed,
            "sentence": [[each.text, each.is_odds, each.spaced] for each in self.sentence],
            "figures": {key: [each.now, each.was, each.change, each.value] for key, each in self.figures.items()},
            "bars": {
                name: [each.low_fraction, each.high_fraction, each.mean_fraction, each.was_fraction]
                for name, each in self.bars.items()
            },
            "odds": dict(self.odds_fraction),
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
        figures |= _option_figures(document, found, part)
    shown = _shown(document, found)
    return Words(
        changed=changed,
        sentence=_pieces(f"With your changes: {_inside(safe(found.sentence))}" if changed else base),
        base_sentence=base,
        figures=figures,
        bars=_bars([each for each in found.options if each.option in shown], with_before=not rows.lengths_words(found)),
        odds_fraction={
            each.option: round(each.after_cheapest_fraction, 4)
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


def _pieces(sentence: str) -> tuple[Piece, ...]:
    """The odds apart from the rest.

    >>> [each.text for each in _pieces("Lowest in 50 of 100 futures.")]
    ['Lowest in', '50 of 100 futures', '.']
    """
    parts = _ODDS.split(sentence)
    return tuple(
        Piece(text.strip(), at % 2 == 1, text[:1] == " " or parts[at - 1][-1:] == " ")
        for at, text in enumerate(parts)
        if text.strip()
    )


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
        "tile.present": _sum(found, _expected(before.present_cost_usd, after.present_cost_usd)),
        "tile.present_span": _span(before.present_cost_usd, after.present_cost_usd),
        "tile.month": _expected(before.usd_per_month, after.usd_per_month),
        "tile.month_span": _span(before.usd_per_month, after.usd_per_month),
        "tile.odds": _figure(odds[0], odds[1], after.odds_fraction),
        "tile.saves_label": Figure(_saves_label(document, found)),
        "tile.saves": _saves(document, found),
        "tile.saves_span": _saves_span(document, found),
        "tile.months": _figure(months[0], months[1]),
        "tile.rival": _rival(document, found),
    }


def _saves_label(document: Document, found: WhatIfDocument) -> str:
    """What is set against what, after the change."""
    months = amounts.counted(found.after.months_count, "month")
    mover = _mover(document, found.after, _parts(found), after=True)
    if mover is not None and found.after.option == status_quo(document):
        return f"Moving to {inside(document, mover.option)}, over {months}"
    return f"Against staying as today, over {months}"


def _saves(document: Document, found: WhatIfDocument) -> Figure:
    """What the recommended move saves against staying as today, or the best one, in expectation."""
    was, now = _movers_saving(document, found, after=False), _movers_saving(document, found, after=True)
    return _sum(found, _saving(was, now))


def _saves_span(document: Document, found: WhatIfDocument) -> Figure:
    now = _movers_saving(document, found, after=True)
    return Figure("" if now is None else amounts.difference_range(now.p10, now.p90))


def _movers_saving(document: Document, found: WhatIfDocument, *, after: bool) -> Amount | None:
    mover = _mover(document, found.after if after else found.before, _parts(found), after=after)
    return None if mover is None else _saved(mover, after=after)


def _saved(part: OptionChangePart, *, after: bool) -> Amount | None:
    return part.after_saves_usd if after else part.before_saves_usd


def _saving(was: Amount | None, now: Amount | None) -> Figure:
    words = [NOT_COSTED if each is None else amounts.difference(each.mean) for each in (now, was)]
    return _figure(words[0], words[1], now.mean if now else None)


def _mover(
    document: Document, verdict: VerdictPart, parts: Mapping[str, OptionChangePart], *, after: bool
) -> OptionChangePart | None:
    """The recommended option; the best other one where staying as today is recommended."""
    today, gated = status_quo(document), _gated(document)
    if verdict.option != today:
        return parts.get(verdict.option)
    costs = {
        name: present.mean
        for name, part in parts.items()
        if name != today and name not in gated and (present := _present(part, after=after)) is not None
    }
    return parts[min(costs, key=lambda name: costs[name])] if costs else None


def _gated(document: Document) -> set[str]:
    """Options that may not be taken as things are."""
    return {each.name for each in document.options if each.only_if}


def _rival(document: Document, found: WhatIfDocument) -> Figure:
    """Who is lowest in most of the other futures, of those that may be taken as things are."""
    gated = _gated(document)
    others = [
        (each.after_cheapest_fraction or 0.0, each)
        for each in found.options
        if each.option not in {found.after.option, *gated} and each.after_cheapest_fraction is not None
    ]
    if not others:
        return Figure("the only option")
    share, best = max(others, key=lambda pair: pair[0])
    return Figure(f"next: {short(best.title, 40)}, {amounts.odds(share)}")


def _option_figures(document: Document, found: WhatIfDocument, part: OptionChangePart) -> dict[str, Figure]:
    was, now = part.before_present_cost_usd, part.after_present_cost_usd
    month_was, month_now = part.before_usd_per_month, part.after_usd_per_month
    odds = (rows.odds_before(part), rows.odds_after(part))
    figures = {
        "present": _sum(found, _expected(was, now)),
        "present_span": _span(was, now),
        "month": _expected(month_was, month_now),
        "month_span": _span(month_was, month_now),
        "odds": _figure(odds[1], odds[0], part.after_cheapest_fraction),
        "breakeven": _figure(
            _dashed(rows.breakeven_after(part)),
            _dashed(rows.breakeven_before(part)),
            part.after_always_above_mtok_per_month,
        ),
        "against": _against(document, found, part),
    }
    return {key_of(part.option, name): each for name, each in figures.items()}


def _against(document: Document, found: WhatIfDocument, part: OptionChangePart) -> Figure:
    """What it saves, or costs more, than staying as today, in expectation over the horizon."""
    if part.option == status_quo(document):
        return Figure("today's")
    return _sum(found, _saving(part.before_saves_usd, part.after_saves_usd))


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


def _sum(found: WhatIfDocument, figure: Figure) -> Figure:
    """A figure of the whole horizon: where the change adds up other months it says so, and tells no difference."""
    lengths = rows.lengths_words(found)
    is_both = figure.was != "" and NOT_COSTED not in (figure.now, figure.was)
    return replace(figure, change=lengths) if lengths and is_both else figure


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


def _bars(parts: Sequence[OptionChangePart], *, with_before: bool) -> dict[str, Bar]:
    """All on one axis from nothing to the largest P90 of what is shown; `with_before`: with the mark of what was."""
    before = [part.before_present_cost_usd if with_before else None for part in parts]
    ends = [each for each in (*before, *(part.after_present_cost_usd for part in parts)) if each]
    top = max((each.p90 for each in ends), default=0.0)
    if top <= 0:
        return {}
    found = {}
    for part, was in zip(parts, before, strict=True):
        now = part.after_present_cost_usd
        if now is not None:
            low, high, mean = (_share(each, top) for each in (now.p10, now.p90, now.mean))
            found[part.option] = Bar(low, high, mean, _share(was.mean, top) if was else mean)
    return found


def _share(usd: float, top_usd: float) -> float:
    return round(min(max(usd / top_usd, 0.0), 1.0), 4)


def today_words(document: Document) -> str:
    """What everything is compared with."""
    name = status_quo(document)
    if name is None:
        return "nothing: today's calls could not be priced"
    option = next(each for each in document.options if each.name == name)
    return f"{findings.title_of(document, name)}: {short(option.buys, 160)}"


def prices_words(document: Document) -> str:
    """How old the prices are, behind a heading that says prices."""
    found = findings.prices_age_finding(document).removeprefix("Prices: ")
    return f"{found[:1].upper()}{found[1:]}" if found else f"As of {amounts.date_text(document.footer.as_of)}."
