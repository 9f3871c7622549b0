"""Findings: sentences that the surfaces share."""

from __future__ import annotations

from breakeven.reports import findings
from breakeven.reports.shortlist import status_quo
from reports.sample_document import one_option_document, sample_document


def test_badges_say_what_the_data_are_not() -> None:
    badges = [each.text for each in findings.comparison_badges(sample_document())]
    assert badges == [
        "SYNTHETIC DATA",
        "EXTRAPOLATED FROM 672 HOURS",
        "UNPRICED: 2.8 % OF TOKENS",
        "1 OPTION NOT COSTED",
    ]
    assert findings.workload_badges(sample_document(synthetic=False, extrapolated=None).workload)[0].kind == "danger"


def test_a_handful_of_calls_is_said_beside_the_answer() -> None:
    workload = sample_document(synthetic=False).workload
    few = workload.model_copy(update={"requests_count": 3})
    assert [each.text for each in findings.workload_badges(few)][:2] == ["3 CALLS ONLY", "EXTRAPOLATED FROM 672 HOURS"]
    enough = workload.model_copy(update={"requests_count": 100})
    assert not any("ONLY" in each.text for each in findings.workload_badges(enough))


def test_many_changes_are_counted_and_the_last_is_for_good() -> None:
    document = sample_document()
    text = findings.changes_finding(document)
    count = len(document.breakeven.crossings)
    assert f"then {count - 6} more changes, and for good Rented H100, spot from 81.93 B tokens a month." in text
    assert findings.curves_finding(document).startswith(f"At typical values the cheapest option changes {count} times")


def test_one_option_never_changes() -> None:
    assert findings.curves_finding(one_option_document()) == (
        "At typical values Frontier API (as today) is cheapest at every volume shown."
    )
    assert findings.changes_finding(one_option_document()) == ""


def test_an_option_of_today_that_may_not_be_taken_is_no_riddle_in_the_curves() -> None:
    """Its line lies below that of the cheapest one, since it is not weighed."""
    document = sample_document()
    today = status_quo(document)
    options = tuple(
        each.model_copy(update={"only_if": "your constraints are dropped"}) if each.name == today else each
        for each in document.options
    )
    said = findings.curves_finding(document.model_copy(update={"options": options}))
    assert said.endswith(". Frontier API (as today) may be taken only if your constraints are dropped.")
    assert "only if" not in findings.curves_finding(document)


def test_a_lever_that_turns_the_answer_says_so_without_a_sign() -> None:
    document = sample_document()
    first, third = document.levers[0], document.levers[2]
    assert findings.lever_finding(first) == (
        "Open model success, 70 to 95 % (expert): between costing $1,240 more and saving $3,610 a month; "
        "TURNS THE ANSWER."
    )
    assert findings.lever_finding(third).endswith("saves $2,240 to $3,520 a month; does not turn the answer.")
    assert "-" not in findings.levers_finding(document)


def test_unpriced_models_are_listed_with_their_tokens() -> None:
    assert findings.unpriced_findings(sample_document().workload) == [
        "acme/house-model-7b: 24,000 calls, 54.8 M tokens",
        "Together 2.8 % of all tokens.",
    ]


def test_what_to_do_about_unpriced_models_is_said_where_there_are_any() -> None:
    workload = sample_document().workload
    (cure,) = findings.unpriced_cure(workload)
    assert "model_aliases" in cure
    assert "contract_prices" in cure
    assert findings.unpriced_cure(workload.model_copy(update={"unpriced": ()})) == []


def test_todays_tokens_are_told_apart_from_the_rest_and_shares_add_up() -> None:
    document = sample_document()
    name = next(each.name for each in document.options if each.name.startswith("frontier"))
    today = next(each for each in document.options if each.name == name)
    lines = {each.name: each.usd_per_month.mean for each in today.lines if not each.apart}
    share = 100 * lines["tokens"] / sum(lines.values())
    text = findings.made_of_finding(document)
    assert text.startswith("Of what today's option costs, tokens are expected at $")
    assert f"({share:.3g} %)" in text
    bare = tuple(each.model_copy(update={"lines": ()}) for each in document.options)
    assert findings.made_of_finding(document.model_copy(update={"options": bare})) == ""


def test_odds_that_add_up_to_more_than_all_futures_are_explained() -> None:
    document = sample_document()
    assert findings.conditional_odds_finding(document) == ""
    first = document.options[0].model_copy(update={"only_if": "you own it", "probability_cheapest_fraction": 0.95})
    with_condition = document.model_copy(update={"options": (first, *document.options[1:])})
    assert "take nothing from theirs" in findings.conditional_odds_finding(with_condition)


def test_rows_become_calls_in_one_sentence() -> None:
    text = findings.import_finding(sample_document().workload)
    assert text.startswith("845,900 rows = 845,612 calls + 201 duplicates + 87 rejects (negative token count 55")


def test_costs_below_a_dime_are_written_per_thousand() -> None:
    document = sample_document()
    assert findings.successes_shown_count(document) == 1_000
    dear = tuple(
        each.model_copy(update={"usd_per_success": each.usd_per_success.model_copy(update={"p50": 0.4})})
        for each in document.options
    )
    assert findings.successes_shown_count(document.model_copy(update={"options": dear})) == 1
