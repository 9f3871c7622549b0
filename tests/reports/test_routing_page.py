"""Routing page: the sentence, the figures and the rows of a learnt policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from breakeven.learning.evaluation_document import FigurePart
from breakeven.reports import routing_page
from breakeven.reports.routing_document import LearnDocument
from breakeven.routing.policy import Decision
from breakeven.routing.policy_file import LoadedPolicy, load
from breakeven.routing.request import RouteRequest
from reports.learnt_documents import LearntFolder, learnt


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> LearntFolder:
    return learnt(tmp_path_factory.mktemp("learnt"))


@pytest.fixture(scope="module")
def policy(found: LearntFolder) -> LoadedPolicy:
    return load(found.policy)


def saving(document: LearnDocument, low: float, value: float, high: float) -> LearnDocument:
    """The same with another saving against what ran before."""
    first, *rest = document.evaluation.savings
    part = FigurePart(value=value, low=low, high=high)
    first = first.model_copy(update={"saved_fraction": part, "saved_usd_per_request": part})
    evaluation = document.evaluation.model_copy(update={"savings": [first, *rest]})
    return document.model_copy(update={"evaluation": evaluation})


def test_one_sentence_says_what_to_send_what_it_saves_and_what_is_promised(found: LearntFolder) -> None:
    said = routing_page.headline(found.document)
    assert said.startswith("Send ") and " of the requests to small: saves " in said
    assert said.endswith("at least 95 % of the success of large is kept, with 95 % confidence.")


def test_a_loss_is_said_as_a_cost(found: LearntFolder) -> None:
    assert "costs 12 % more (5 to 20 % more) against what ran before" in routing_page.headline(
        saving(found.document, -0.20, -0.12, -0.05)
    )
    assert "saves 5 % (from 3 % more to 12 % saved)" in routing_page.headline(saving(found.document, -0.03, 0.05, 0.12))
    label = [each.label for each in routing_page.figures(saving(found.document, -0.20, -0.12, -0.05))]
    assert "Costs more, against what ran before" in label


def test_what_could_not_be_proven_is_not_promised(found: LearntFolder) -> None:
    floor = found.document.floor.model_copy(update={"holds": False})
    document = found.document.model_copy(update={"floor": floor})
    assert "the floor of 95 % could not be proven" in routing_page.headline(document)
    assert next(each for each in routing_page.figures(document) if each.label == "Promise").value == "not proven"


def test_a_policy_of_one_model_speaks_with_the_verdicts_words(found: LearntFolder) -> None:
    single = found.document.policy.model_copy(update={"kind": "single"})
    document = found.document.model_copy(update={"policy": single})
    assert routing_page.headline(document) == document.verdict.sentence


def test_the_tasks_with_their_evidence(found: LearntFolder) -> None:
    faq, contract = routing_page.task_rows(found.document)
    assert (faq.name, faq.models, faq.moved) == ("faq", "small", True)
    assert (contract.models, contract.moved) == ("large", False)
    assert " to " in faq.interval and faq.per_success.startswith("$0.2")
    bare = found.document.tasks[0].model_copy(update={"usd_per_success": None})
    document = found.document.model_copy(update={"tasks": [bare]})
    assert routing_page.task_rows(document)[0].per_success == "UNPRICED"


def test_the_guarantee_and_what_is_missing(policy: LoadedPolicy, found: LearntFolder) -> None:
    guarantee = policy.document.guarantee
    assert guarantee is not None
    lines = " ".join(routing_page.guarantee_lines(guarantee, found.document))
    assert (
        "at least 95 % of the success of large" in lines and "labelled requests from which nothing was learnt" in lines
    )
    lacking = replace(guarantee, holds=False, missing_requests_count=1234)
    said = " ".join(routing_page.guarantee_lines(lacking, None))
    assert "Not enough evidence" in said and "1,234 more labelled requests are missing" in said
    assert "promises nothing" in next(routing_page.guarantee_lines(None, None))


def test_prices_say_their_age_and_what_is_unpriced(policy: LoadedPolicy, found: LearntFolder) -> None:
    small, _ = routing_page.price_rows(policy.document, date(2026, 12, 6), found.document)
    assert (small.price, small.when, small.stale) == ("$0.20 per 1,000 calls", "26 Nov 2026, 10 days old", False)
    later = routing_page.price_rows(policy.document, date(2027, 6, 1), None)
    assert all(each.stale for each in later)
    models = (replace(policy.document.models[0], usd_per_request=None), *policy.document.models[1:])
    assert (
        routing_page.price_rows(replace(policy.document, models=models), date(2026, 12, 6), None)[0].price == "UNPRICED"
    )


def test_a_decision_in_words(policy: LoadedPolicy) -> None:
    decision = policy.decide(RouteRequest("", {"task": "faq"}))
    words = routing_page.decision_words(decision, policy.document)
    assert words[0] == "small takes it." and words[1] == "Why: its group decides (task=faq)."
    unknown = policy.decide(RouteRequest("", {"task": "poems"}))
    assert routing_page.decision_words(unknown, policy.document)[1] == "Why: the default model, because: unknown group."
    refused = routing_page.decision_words(Decision("", "refused: no open model may take it", {}), policy.document)
    assert refused[0].startswith("Refused")
    rows = routing_page.predicted_rows(decision, policy.document)
    assert [(each[0], each[3]) for each in rows] == [("small", True), ("large", False)]
