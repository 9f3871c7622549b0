"""Findings: what a document says, as short sentences that the terminal and the HTML report share.

Names come out of here stripped of control characters and shortened; escaping for HTML stays with Jinja2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.reports import amounts
from breakeven.reports.document import AssumptionPart, Document, LeverPart, ModelUsePart, OptionPart, WorkloadPart
from breakeven.reports.footed import Footed
from breakeven.reports.option_part import LinePart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import (
    charted_options,
    main_options,
    other_options,
    status_quo,
    unavailable_groups,
)

GUIDE_RATIO: Final = "3-5x"
"""Total over bare GPU rent, as the guide states it."""
GUIDE_LOW: Final = 3.0
GUIDE_HIGH: Final = 5.0
FEW_CALLS_COUNT: Final = 100
"""Below so many Calls every monthly figure hangs on a handful of them."""
CROSSINGS_SHOWN_COUNT: Final = 6
MADE_OF_SHOWN_COUNT: Final = 3
"""Cost lines named beside the tokens."""
DISAGREE: Final = "Price lists disagree"
"""How the note of a price begins on which the lists do not agree (`catalog.price_spread`)."""
TITLE_MAX_COUNT: Final = 60


@dataclass(frozen=True, slots=True)
class Badge:
    """A label that nobody may overlook."""

    text: str
    kind: Literal["warning", "danger", "note"]


def workload_badges(workload: WorkloadPart) -> tuple[Badge, ...]:
    """What the data are not."""
    found = []
    if workload.synthetic:
        found.append(Badge("SYNTHETIC DATA", "warning"))
    if workload.requests_count < FEW_CALLS_COUNT:
        found.append(Badge(f"{amounts.counted(workload.requests_count, 'call').upper()} ONLY", "warning"))
    if workload.extrapolated_from_hours is not None:
        found.append(Badge(f"EXTRAPOLATED FROM {amounts.hours(workload.extrapolated_from_hours).upper()}", "warning"))
    if workload.stability and workload.stability.silence:
        found.append(Badge("LOG FELL SILENT", "warning"))
    if workload.unpriced:
        share = amounts.fraction(workload.unpriced_tokens_fraction)
        found.append(Badge(f"UNPRICED: {share} OF TOKENS", "danger"))
    return tuple(found)


def comparison_badges(document: Document) -> tuple[Badge, ...]:
    """The workload's badges, and what could not be costed."""
    found = list(workload_badges(document.workload))
    if document.unavailable:
        found.append(Badge(f"{amounts.counted(len(document.unavailable), 'option').upper()} NOT COSTED", "warning"))
    return tuple(found)


def title_of(document: Document, name: str) -> str:
    """Title of the option called `name`, or the name itself."""
    found = next((each.title for each in document.options if each.name == name), name)
    return short(found, TITLE_MAX_COUNT)


def ratio_finding(document: Document) -> str:
    """Total over the bare cost of the machines, beside the guide's; empty when there is no fleet."""
    fleets = [each for each in document.options if each.family in {"managed", "self_hosted"}]  # a hybrid has the API in
    ratios = [each.total_over_rent_ratio for each in fleets if each.total_over_rent_ratio]
    if not ratios:
        return ""
    low, high = min(each.p50 for each in ratios), max(each.p50 for each in ratios)
    inside = sum(GUIDE_LOW <= each.p50 <= GUIDE_HIGH for each in ratios)
    first, last = amounts.ratio(low), amounts.ratio(high)
    span = first if first == last else f"{first} to {last}"
    return (
        f"Total over raw GPU rent (annuity, housing and power where you own): {span} in the median; the guide says "
        f"{GUIDE_RATIO}, which holds for {inside} of {len(ratios)} fleets here."
    )


def conditional_odds_finding(document: Document) -> str:
    """Why odds may add up to more than all futures; empty where every option is open to all."""
    if not any(each.only_if and each.probability_cheapest_fraction > 0 for each in document.options):
        return ""
    return 'The odds of an "only if" option are against all others, and take nothing from theirs.'


def made_of_finding(document: Document) -> str:
    """How much of today's option are tokens and what the rest is, in expectation; empty where it has no such lines."""
    today = next((each for each in document.options if each.name == status_quo(document)), None)
    lines = [each for each in today.lines if not each.apart and each.usd_per_month.mean > 0] if today else []
    whole_usd = sum(each.usd_per_month.mean for each in lines)
    tokens = next((each for each in lines if each.name == "tokens"), None)
    if tokens is None:
        return ""

    def share(line: LinePart) -> str:
        return amounts.fraction(line.usd_per_month.mean / whole_usd)

    others = sorted((each for each in lines if each.name != "tokens"), key=lambda each: -each.usd_per_month.mean)
    named = [f"{short(each.title, TITLE_MAX_COUNT)} {share(each)}" for each in others[:MADE_OF_SHOWN_COUNT]]
    rest = f"; the rest: {', '.join(named)}{' and others' if len(others) > len(named) else ''}" if named else ""
    usd = amounts.money(tokens.usd_per_month.mean)
    return f"Of what today's option costs, tokens are expected at {usd} a month ({share(tokens)}){rest}."


def unpriced_cure(workload: WorkloadPart) -> list[str]:
    """What to do about models without a price; nothing where every model has one."""
    cure = (
        "Say what they are under model_aliases, or what you pay under contract_prices, in a scenario "
        "(`breakeven init` writes one; `--scenario` reads it)."
    )
    return [cure] if workload.unpriced else []


def unpriced_lines(workload: WorkloadPart) -> list[str]:
    """Models without a price, and what to do about them."""
    return [*unpriced_findings(workload), *unpriced_cure(workload)]


def curves_finding(document: Document) -> str:
    """Which option is cheapest along the axis, at typical values; today's is named where it may not be taken."""
    today = next((each for each in document.options if each.name == status_quo(document)), None)
    condition = safe(today.only_if) if today is not None else ""
    closed = f" {title_of(document, today.name)} may be taken only if {condition}." if today and condition else ""
    return f"At typical values {_along_the_axis(document)}.{closed}"


def _along_the_axis(document: Document) -> str:
    part = document.breakeven
    if not part.crossings:
        only = title_of(document, part.stretches[0].option) if part.stretches else "no option"
        return f"{only} is cheapest at every volume shown"
    first, last = part.crossings[0], part.crossings[-1]
    winner, edge = title_of(document, last.to_option), amounts.volume(last.mtok_per_month, 4)
    checked = f"as far as checked ({amounts.volume(part.axis_high_mtok_per_month)} a month)"
    if len(part.crossings) == 1:
        below = title_of(document, first.from_option)
        return f"{below} is cheapest up to {edge} a month, {winner} above, {checked}"
    times, start = amounts.counted(len(part.crossings), "time"), amounts.volume(first.mtok_per_month, 4)
    return f"the cheapest option changes {times}, first at {start}; {winner} stays cheapest above {edge}, {checked}"


def changes_finding(document: Document) -> str:
    """Every change of the cheapest option in order, the middle ones counted when they are many."""
    crossings = document.breakeven.crossings
    if not crossings:
        return ""
    changes = [
        f"{title_of(document, each.to_option)} from {amounts.volume(each.mtok_per_month, 4)}" for each in crossings
    ]
    if len(changes) > CROSSINGS_SHOWN_COUNT:
        hidden = len(changes) - CROSSINGS_SHOWN_COUNT
        changes = [*changes[: CROSSINGS_SHOWN_COUNT - 1], f"{hidden} more changes", changes[-1]]
        changes[-2:] = [f"{changes[-2]}, and for good {changes[-1]}"]
    start = title_of(document, crossings[0].from_option)
    return f"Cheapest at typical values: {start} at small volumes, then {', then '.join(changes)} a month."


def here_finding(document: Document) -> str:
    """What the main options cost at the user's own volume."""
    ranked = sorted(charted_options(document), key=lambda each: each.equal_success_usd_per_month.p50)
    costs = "; ".join(f"{short(each.title, TITLE_MAX_COUNT)} {equal_success(each)}" for each in ranked)
    here = amounts.volume(document.breakeven.volume_mtok_per_month)
    return f"At your {here} a month, for equal successful outcomes: {costs} a month."


def ranges_finding(document: Document) -> str:
    """The cheapest and the dearest of all options at the user's own volume, and today's."""
    ranked = sorted(document.options, key=lambda each: each.equal_success_usd_per_month.p50)
    today = next((each for each in ranked if each.name == status_quo(document)), ranked[0])
    ends = ", ".join(
        f"{word} {short(each.title, TITLE_MAX_COUNT)} at {amounts.money(each.equal_success_usd_per_month.p50)}"
        for word, each in (("cheapest", ranked[0]), ("today", today), ("dearest", ranked[-1]))
    )
    here = amounts.volume(document.breakeven.volume_mtok_per_month)
    return f"All {len(ranked)} options at your {here} a month, for as many successful outcomes as today: {ends}."


def equal_success(option: OptionPart) -> str:
    """Cost of as many successful outcomes as today."""
    each = option.equal_success_usd_per_month
    return amounts.money_range(each.p50, each.p10, each.p90)


def breakdown_finding(document: Document) -> str:
    """The largest line of each main option."""
    found = []
    for option in main_options(document):
        lines = [each for each in option.lines if not each.apart]
        total = sum(each.usd_per_month.mean for each in lines)
        if lines and total > 0:
            top = max(lines, key=lambda each: each.usd_per_month.mean)
            share = amounts.fraction(round(top.usd_per_month.mean / total, 2))
            found.append(f"{short(option.title, TITLE_MAX_COUNT)}: {short(top.title, TITLE_MAX_COUNT)} ({share})")
    return f"Largest line of each option: {'; '.join(found)}." if found else ""


def lever_finding(lever: LeverPart) -> str:
    """What one assumption, moved alone, does to the gap between the recommended option and its rival."""
    ends = sorted((lever.gap_at_low_usd_per_month, lever.gap_at_high_usd_per_month))
    span = safe(amounts.quantity_range(lever.low, lever.high, lever.unit))
    effect = "TURNS THE ANSWER" if lever.flips else "does not turn the answer"
    return f"{lever_title(lever)}, {span} ({safe(lever.grade)}): {amounts.difference_range(*ends)} a month; {effect}."


def contest(document: Document) -> str:
    """The recommended option against its rival."""
    best = title_of(document, document.verdict.recommended)
    rival = document.verdict.rival
    return f"{best} against {title_of(document, rival)}" if rival else best


def successes_shown_count(document: Document) -> int:
    """Per how many successful outcomes a cost is written: 1,000 where one costs less than a dime."""
    costs = [each.usd_per_success.p50 for each in document.options]
    return 1_000 if costs and min(costs) < 0.1 else 1


def lever_title(lever: LeverPart) -> str:
    """The assumption's name as words."""
    return short(amounts.fact_title(safe(lever.name) or "?"), TITLE_MAX_COUNT)


def levers_finding(document: Document) -> str:
    """How many assumptions can turn the answer alone."""
    turning = [lever_title(each) for each in document.levers if each.flips]
    if not document.levers:
        return ""
    if not turning:
        return "No single assumption, moved alone over its range, turns the answer."
    names = ", ".join(turning[:4]) + (f" and {len(turning) - 4} more" if len(turning) > 4 else "")
    verb = "turns" if len(turning) == 1 else "turn"
    return f"Moved alone over its range, {names} {verb} the answer."


def data_finding(workload: WorkloadPart) -> str:
    """What was read, in one line."""
    models = amounts.counted(len(workload.models), "model")
    text = f"{calls_text(workload)}, {_stretch(workload)}, {models}"
    if workload.unpriced:
        share = amounts.fraction(workload.unpriced_tokens_fraction)
        text += f", {len(workload.unpriced)} of them UNPRICED ({share} of tokens)"
    if workload.errors_count:
        text += f", {amounts.counted(workload.errors_count, 'error')}"
    return text + "."


def calls_text(part: WorkloadPart | ModelUsePart) -> str:
    """Number of calls with its noun; tokens without a call mean that the source does not count calls."""
    if not part.requests_count and part.input_tokens + part.output_tokens:
        return "number of calls not known"
    return amounts.counted(part.requests_count, "call")


def _stretch(workload: WorkloadPart) -> str:
    """Days, or hours below two days."""
    if workload.observed_hours < 48:
        return amounts.hours(workload.observed_hours)
    return amounts.counted(workload.days_count, "day")


def daily_finding(workload: WorkloadPart) -> str:
    """The mean and the largest of the days that were seen whole."""
    days = [each for each in workload.days if each.complete] or list(workload.days)
    if not days:
        return ""
    totals = {each.day: each.input_tokens + each.output_tokens for each in days}
    top = max(totals, key=lambda day: totals[day])
    mean = sum(totals.values()) / len(totals)
    return f"{amounts.tokens(mean)} on a mean day, {amounts.magnitude(totals[top])} on {amounts.date_text(safe(top))}."


def import_finding(workload: WorkloadPart) -> str:
    """How the rows became calls; empty when the log was read earlier."""
    part = workload.imported
    if part is None:
        return ""
    text = f"{part.rows_in:,} rows = {part.calls:,} calls + {part.duplicates:,} duplicates + {part.rejects:,} rejects"
    reasons = ", ".join(f"{short(reason, 80)} {count:,}" for reason, count in sorted(part.rejects_by_reason.items()))
    text += f" ({reasons})" if reasons else ""
    return text + (f"; rejected rows are in {short(part.reject_file, 120)}." if part.reject_file else ".")


def traffic_finding(workload: WorkloadPart) -> str:
    """When the load comes."""
    if not workload.hours_of_week:
        return "The log is shorter than a week: nothing is said about the rhythm of the week."
    top = max(workload.hours_of_week, key=lambda each: each.tokens_per_hour)
    mean = sum(each.tokens_per_hour for each in workload.hours_of_week) / len(workload.hours_of_week)
    day, hour = divmod(top.hour_of_week, 24)
    times = f", {amounts.ratio(top.tokens_per_hour / mean)} the mean" if mean > 0 else ""
    return (
        f"Busiest hour of the week: {amounts.DAYS_OF_WEEK[day % 7]} {hour:02d}:00 UTC with "
        f"{amounts.tokens(top.tokens_per_hour)}{times}. {peak_finding(workload)}".strip()
    )


def peak_finding(workload: WorkloadPart) -> str:
    """Peak to mean with its basis."""
    if workload.peak_to_mean_ratio is None:
        basis = f" ({short(workload.peak_basis, 160)})" if workload.peak_basis else ""
        return f"Peak to mean: not known{basis}."
    basis = f" ({short(workload.peak_basis, 160)})" if workload.peak_basis else ""
    return f"Peak to mean: {amounts.ratio(workload.peak_to_mean_ratio)}{basis}."


def unpriced_findings(workload: WorkloadPart) -> list[str]:
    """Models without a price, with their tokens: never taken as zero."""
    lines = [
        f"{model_label(each)}: {calls_text(each)}, {amounts.tokens(each.input_tokens + each.output_tokens)}"
        for each in workload.unpriced
    ]
    if lines:
        lines.append(f"Together {amounts.fraction(workload.unpriced_tokens_fraction)} of all tokens.")
    return lines


def model_label(model: ModelUsePart) -> str:
    """``provider/model``; the model alone where nobody knows whose it is."""
    name = short(model.model, 80) or "no model named"
    return f"{short(model.provider, 40)}/{name}" if model.provider else name


def unavailable_findings(document: Document) -> list[str]:
    """Options that could not be costed, and why: like reasons told once."""
    found = []
    for group in unavailable_groups(document.unavailable):
        titles = "; ".join(short(each, TITLE_MAX_COUNT) for each in group.titles)
        found.append(f"{titles}: {safe(group.reason)}")
    return found


def main_pair_sentences(document: Document) -> list[str]:
    """Where each main option and the status quo cross, in the order of the table."""
    return _pair_sentences(document, main_options(document))


def other_pair_sentences(document: Document) -> list[str]:
    """The same for all the other options."""
    return _pair_sentences(document, other_options(document))


def _pair_sentences(document: Document, options: Sequence[OptionPart]) -> list[str]:
    known = {each.option: each.sentence for each in document.breakeven.pairs}
    return [known[each.name] for each in options if each.name in known]


def option_remarks(document: Document, option: OptionPart) -> list[str]:
    """What a reader must know before the figures of an option."""
    found = []
    if option.only_if:
        found.append(f"only if {safe(option.only_if)}")
    if option.same_as:
        found.append(f"costs the same as {title_of(document, option.same_as)}")
    return found


def others_title(document: Document) -> str:
    """Heading of the options behind the main ones."""
    count = len(other_options(document))
    return f"All other options ({count}), cheapest successful outcome first"


def disagreeing_prices(document: Document) -> list[AssumptionPart]:
    """Prices on which the price lists differ by more than 5 %, so that the whole spread counts as uncertainty."""
    return [each for each in document.assumptions if each.note.startswith(DISAGREE)]


def grades_finding(document: Document) -> str:
    """How many facts stand on what, and how many are old."""
    counts: dict[str, int] = {}
    for each in document.assumptions:
        grade = short(each.source.grade, 12)
        counts[grade] = counts.get(grade, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    stale = sum(each.stale for each in document.assumptions)
    text = ", ".join(f"{count} {grade}" for grade, count in ranked)
    return f"By grade: {text}; {stale} stale." if stale else f"By grade: {text}; none stale."


def prices_age_finding(document: Footed) -> str:
    """How old the prices were; empty when the document does not say."""
    age = document.footer.prices_age
    if age is None:
        return ""
    day = amounts.date_text(document.footer.as_of)
    oldest = f"(oldest: {short(age.oldest, 120)})"
    if age.newest_days == age.oldest_days:
        return f"Prices: read {_apart(age.oldest_days)} {day} {oldest}."
    if age.newest_days < 0:
        span = f"from {_apart(age.newest_days)} to {_apart(age.oldest_days)} {day}, median {_apart(age.median_days)}"
        return f"Prices: read {span} {oldest}."
    span = f"{age.newest_days}-{age.oldest_days} days before {day}, median {amounts.number(age.median_days)}"
    return f"Prices: read {span} {oldest}."


def _apart(days: float) -> str:
    """How long before a day, or after it where the question is about an earlier day than the reading.

    >>> _apart(44), _apart(-21), _apart(0)
    ('44 days before', '21 days after', '0 days before')
    """
    return f"{amounts.number(abs(days))} days {'after' if days < 0 else 'before'}"


def footer_findings(document: Footed) -> Sequence[tuple[str, str]]:
    """What reproduces the document: label and value."""
    footer = document.footer
    return (
        ("breakeven", footer.breakeven_version),
        ("document schema", document.schema_version),
        ("prices and facts as of", amounts.date_text(footer.as_of)),
        ("genai-prices", footer.prices_version),
        ("seed", str(footer.seed)),
        ("draws", f"{footer.draws_count:,}"),
        ("hours per month", f"{footer.hours_per_month:g}"),
        ("calls hash", footer.calls_hash),
        ("catalogue hash", footer.catalog_hash),
        ("scenario hash", footer.scenario_hash),
    )
