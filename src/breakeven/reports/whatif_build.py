"""What-if build: the document of two states, before and after."""

from __future__ import annotations

from collections.abc import Sequence

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import Change
from breakeven.decision.answers.equal_cost import Solved
from breakeven.decision.comparison import Costed, SideBySide
from breakeven.options.assembly.offers import GPU_RENT, GPU_RENT_RATIO
from breakeven.reports import whatif_wording as words
from breakeven.reports.answer import Question, catalogue_warnings
from breakeven.reports.option_part import Amount
from breakeven.reports.option_titles import Titles, titles_of
from breakeven.reports.range_amount import amount
from breakeven.reports.scope import facts_behind
from breakeven.reports.whatif_document import (
    SCHEMA_VERSION,
    ChangePart,
    OptionChangePart,
    SolutionPart,
    SolvePart,
    VerdictPart,
    WhatIfDocument,
)
from breakeven.reports.whatif_state import State


def whatif_document(
    question: Question,
    catalog: Catalog,
    changes: Sequence[Change],
    before: State,
    after: State,
    solved: Solved | None,
) -> WhatIfDocument:
    titles = titles_of(after.comparison)
    first, second = _verdict(before), _verdict(after)
    return WhatIfDocument(
        schema_version=SCHEMA_VERSION,
        kind="whatif",
        sentence=words.sentence(first, second, changed=bool(changes)),
        changes=tuple(_change(each, before, after) for each in changes),
        before=first,
        after=second,
        options=tuple(_options(before, after)),
        solved=_solved(solved, titles) if solved else None,
        warnings=(*question.warnings, *catalogue_warnings(catalog, question.today)),
        as_of=catalog.as_of.isoformat(),
        seed=after.scenario.seed,
        draws_count=after.comparison.draws_count,
    )


def _verdict(state: State) -> VerdictPart:
    name = state.outlook.recommended
    best = state.comparison.option(name)
    return VerdictPart(
        option=name,
        title=best.cost.title,
        odds_fraction=state.odds_fractions[name],
        present_cost_usd=state.present_usd[name],
        months_count=state.months_count,
        usd_per_month=amount(best.equal_success_usd_per_month, "usd/month"),
    )


def _change(change: Change, before: State, after: State) -> ChangePart:
    was = words.value_before(
        change, before.scenario, before.situation, before.comparison, before.readers, before.expected.estimates
    )
    note = ""
    if change.kind == "fact" and change.name not in after.path_facts and not _is_read(change.name, after.comparison):
        note = "changed nothing: no option that could be costed reads it"
    elif change.kind == "fact":
        note = words.shared_note(change, before.readers)
    return ChangePart(name=change.name, said=change.said, before=was, after=words.value_after(change), note=note)


def _is_read(name: str, comparison: SideBySide) -> bool:
    """Whether an option read a fact, or the rent that a multiple of the rents moves."""
    name = GPU_RENT if name == GPU_RENT_RATIO else name
    return any(node.name == name for result in comparison.options for node in facts_behind(result))


def _options(before: State, after: State) -> list[OptionChangePart]:
    names = dict.fromkeys(
        each.name
        for state in (after, before)
        for each in sorted(state.comparison.options, key=lambda one: state.outlook.mean_usd(one.name))
    )
    found = []
    for name in names:
        old, new = before.result(name), after.result(name)
        known = new or old
        assert known is not None
        found.append(
            OptionChangePart(
                option=name,
                title=known.cost.title,
                before_usd_per_month=_monthly(old),
                after_usd_per_month=_monthly(new),
                before_cheapest_fraction=before.odds(name),
                after_cheapest_fraction=after.odds(name),
                before_always_above_mtok_per_month=before.always_above(name),
                after_always_above_mtok_per_month=after.always_above(name),
                before_present_cost_usd=before.present(name),
                after_present_cost_usd=after.present(name),
                before_saves_usd=before.saves(name),
                after_saves_usd=after.saves(name),
            )
        )
    return found


def _monthly(result: Costed | None) -> Amount | None:
    return amount(result.equal_success_usd_per_month, "usd/month") if result else None


def _solved(solved: Solved, titles: Titles) -> SolvePart:
    spread = solved.crossing
    return SolvePart(
        name=solved.fact.name,
        unit=solved.fact.unit,
        typical=solved.fact.typical,
        first=solved.first,
        second=solved.second,
        low=solved.bounds.low,
        high=solved.bounds.high,
        solutions=tuple(
            SolutionPart(value=each.value, kind=each.kind, first_is_cheaper="above" if each.falls else "below")
            for each in solved.found
        ),
        gap_now_usd_per_month=solved.gap_now_usd_per_month,
        crossing=amount(spread, solved.fact.unit) if spread else None,
        never_fraction=solved.never_fraction,
        sentence=words.solve_sentence(solved, titles),
        basis="horizon" if solved.months_count else "month",
        gap_now_present_usd=solved.gap_now_present_usd,
    )
