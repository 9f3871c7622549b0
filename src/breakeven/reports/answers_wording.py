"""Answers in words: the guide's questions, the exit criteria and the first steps, as sentences made from numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Final

from breakeven.decision.answers.outlook import Outlook
from breakeven.decision.answers.privacy import Premium
from breakeven.decision.answers.questions import (
    GUIDE_VOLUME_MTOK,
    QUALITY_FRACTION,
    WANTED_YES_COUNT,
    FiveQuestions,
    Key,
    Question,
)
from breakeven.decision.answers.volume_bands import AtVolume, VolumeBand
from breakeven.reports.amounts import difference, fraction, money, odds, quantity, volume
from breakeven.reports.option_titles import Titles

ASKED: Final[Mapping[Key, str]] = {
    "volume": "Is the volume large enough for a fleet of its own?",
    "data_sensitive": "Is the data sensitive: personal, regulated, or secret?",
    "fine_tuning": "Does the work need a model fine-tuned on your own data?",
    "mlops_team": "Is there a team that can run models on GPUs?",
    "accuracy": "Does an open model reach 95 % of the quality you need?",
}
ASK: Final[Mapping[Key, str]] = {
    "data_sensitive": "Say --data-sensitive yes or no (data_sensitive under answers: in the scenario).",
    "fine_tuning": "Say --fine-tuning yes or no (fine_tuning under answers: in the scenario).",
    "mlops_team": "Say --mlops-team yes or no (mlops_team under answers: in the scenario).",
    "accuracy": (
        "Try an open model on your own tasks, then say --accuracy yes or no (accuracy under answers: in the scenario), "
        "or set open_model_success_fraction."
    ),
}


def driver_words(at: AtVolume) -> str:
    """What most of a cost is.

    >>> from breakeven.decision.answers.volume_bands import Share
    >>> from breakeven.decision.comparison import Range
    >>> driver_words(AtVolume("a", "A", "api", Range(1, 1, 1, 1), (Share("Tokens", 0.62),)))
    'Tokens (62 %)'
    """
    return " and ".join(f"{each.title} ({fraction(each.cost_fraction)})" for each in at.drivers)


def band_words(band: VolumeBand, titles: Titles) -> str:
    """Why the guide's row and today's prices agree or not, from the costs at the band's middle."""
    best, meant, ends = band.best, band.guides_best, _ends_words(band, titles)
    mean = money(best.usd_per_month.mean)
    where = f"At {volume(band.guide.middle_mtok)} a month"
    if band.agrees is None:
        return f"The guide says nothing of this band. {where} {titles.inside(best.name)} costs {mean}.{ends}"
    if band.agrees:
        other = _against(band.runner_up, best)
        return f"{where} {titles.inside(best.name)} costs {mean} in expectation{other}: as the guide says.{ends}"
    if meant is None:
        return f"{where} {titles.inside(best.name)} costs {mean}; nothing of the guide's kind could be costed.{ends}"
    more = meant.usd_per_month.mean / best.usd_per_month.mean - 1
    return (
        f"{where} the cheapest of the guide's kind, {titles.inside(meant.name)}, costs "
        f"{money(meant.usd_per_month.mean)} in expectation, {fraction(more)} more than {titles.inside(best.name)} at "
        f"{mean}; what drives it: {driver_words(meant) or 'nothing'}.{ends}"
    )


def _against(other: AtVolume | None, best: AtVolume) -> str:
    if other is None:
        return ""
    return f", the next best {fraction(other.usd_per_month.mean / best.usd_per_month.mean - 1)} more"


def _ends_words(band: VolumeBand, titles: Titles) -> str:
    found = []
    if band.best_at_low != band.best.name:
        found.append(f"at {volume(band.guide.from_mtok)} {titles.inside(band.best_at_low)}")
    if band.best_at_high != band.best.name:
        found.append(f"at {volume(band.guide.to_mtok)} {titles.inside(band.best_at_high)}")
    return f" The cheapest differs at the ends: {', '.join(found)}." if found else ""


def evidence_words(question: Question, found: FiveQuestions, titles: Titles) -> str:
    """What an answer stands on."""
    if question.key == "volume":
        return _volume_words(found, titles)
    if question.key == "accuracy":
        return _accuracy_words(question, found, titles)
    if question.reply == "unknown":
        return "No log shows it; nothing is assumed."
    return f"You say so: {question.because}."


def _volume_words(found: FiveQuestions, titles: Titles) -> str:
    seen = found.volume
    guide = f"The guide's own mark is {volume(GUIDE_VOLUME_MTOK)}."
    if seen.option is None:
        return f"No fleet could be costed, so there is no break-even to pass. {guide}"
    crossing = f"above {volume(seen.crossing_mtok)}" if seen.crossing_mtok is not None else "at no volume looked at"
    never = f"; never in {odds(seen.never_fraction)}" if seen.never_fraction else ""
    span = f"{_mark(seen.crossing_p10_mtok)} to {_mark(seen.crossing_p90_mtok)} over the futures{never}"
    name = titles.inside(seen.option)
    return f"{volume(seen.here_mtok)} a month; {name} costs less than today's API for good {crossing} ({span}). {guide}"


def _mark(mtok: float) -> str:
    return "never" if isinf(mtok) else volume(mtok)


def _accuracy_words(question: Question, found: FiveQuestions, titles: Titles) -> str:
    seen = found.accuracy
    if question.because == "accuracy":
        return "You say so: accuracy."
    if seen.option is None or seen.ratio is None or seen.odds_fraction is None:
        return "No open model could be costed."
    span = f"{fraction(seen.ratio.p10)} to {fraction(seen.ratio.p90)} of today's success rate"
    reach = f"at least {fraction(QUALITY_FRACTION)} in {odds(seen.odds_fraction)} futures"
    if question.reply == "unknown":
        return f"Nobody has measured it. For models of its class we assume {span}: {reach}."
    return f"By the success rates of the scenario {titles.inside(seen.option)} reaches {span}: {reach}."


def rule_words(found: FiveQuestions) -> str:
    """What the guide's rule says."""
    counted_words = f"{found.yes_count} yes, {found.unknown_count} unknown"
    wanted = f"{WANTED_YES_COUNT} or more"
    if found.gate_closed:
        return f"Do not self-host: the quality gate is closed, whatever the others say ({counted_words})."
    if found.rule == "unknown":
        return f"Cannot say yet: {counted_words}; {wanted} yes would mean self-hosting."
    verb = "Self-host" if found.rule == "yes" else "Do not self-host"
    return f"{verb}: {counted_words}, wanted {wanted}."


def money_words(outlook: Outlook, titles: Titles) -> str:
    """What the money says."""
    name = outlook.recommended
    cost, futures = money(outlook.mean_usd(name)), f"cheapest in {odds(outlook.odds_fraction(name))} futures"
    per = "a month" if outlook.period == "month" else "present cost over the horizon"
    return f"{titles.start(name)}: lowest expected cost, {cost} {per}, {futures}."


def risk_words(found: FiveQuestions, outlook: Outlook, titles: Titles) -> str:
    """The numbers behind the risk level."""
    per = " a month" if outlook.period == "month" else " over the horizon"
    share = f" ({fraction(found.regret_p90_usd / found.today_usd)} of today's cost)" if found.today_usd > 0 else ""
    regret = f"in one future of ten it is regretted by more than {money(found.regret_p90_usd)}{per}{share}"
    if found.regret_p90_usd <= 0:
        regret = "in nine futures of ten nothing that may be chosen costs less"
    name = titles.start(outlook.recommended)
    if outlook.recommended == outlook.status_quo:
        return f"Staying cannot lose against today; {regret}."
    if outlook.status_quo not in outlook.open_names:
        return f"Staying is no option, so nothing can be lost against it; {regret}."
    return f"{name} costs more than today in {odds(found.loses_fraction)} futures; {regret}."


def premium_words(premium: Premium | None, titles: Titles) -> str:
    """What moving would have to cut the yearly rate of events by."""
    if premium is None:
        return "No option on GPUs could be costed, so there is no premium to pay for privacy."
    name, usd, flip = titles.start(premium.option), premium.premium_usd_per_year, premium.flip_events_per_year
    if flip is None:
        return f"{name} {difference(-usd)} a year in expectation, so privacy need not pay for the move."
    told = (
        f"{name} costs {money(usd)} a year more in expectation: as an insurance it is justified only if it cuts the "
        f"yearly rate of breaches through the LLM path by {_rate(flip)} or more"
    )
    rate, cut = premium.loss_events_per_year, premium.exposure_cut_events_per_year
    if flip > rate:
        return f"{told}; that is more than all of today's assumed {_rate(rate)}, so privacy alone does not pay for it."
    guess = f"our guess of the exposures cuts {f'it by {_rate(cut)}' if cut > 0 else 'nothing'}"
    return f"{told}; today's assumed rate is {_rate(rate)}, and {guess}."


def _rate(events_per_year: float) -> str:
    return f"{quantity(events_per_year, 'ratio').removesuffix('x')} events"


def cap_words(uncapped_usd: float, capped_usd: float, cap_usd: float, beyond_fraction: float) -> str:
    """How much of the mean lies beyond the cap."""
    return (
        f"One breach costs {money(capped_usd)} in expectation, each loss cut at {money(cap_usd)}; without the cap it "
        f"would be {money(uncapped_usd)}: {fraction(beyond_fraction)} of that mean lies beyond the cap. Typical values."
    )
