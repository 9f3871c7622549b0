"""Costs of outcomes: what each price rests on, and that an unknown one is never 0."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.errors import LearningError
from breakeven.learning.pricing import GivenPrice, given_price, priced
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.usage.token_estimate.class_mix import class_mix_tokens

PROMPT = "Which of these two parcels was sent to the wrong address, and when was it sent?"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(date(2026, 11, 26))


def table(models: tuple[str, ...], cost: np.ndarray | None = None, answers: str = "") -> OutcomeTable:
    shape = (3, len(models))
    return OutcomeTable(
        ("a", "b", "c"),
        models,
        np.ones(shape),
        np.full(shape, np.nan) if cost is None else cost,
        (PROMPT,) * 3,
        {"task": ("faq",) * 3},
        {models[0]: (answers,) * 3} if answers else {},
    )


def test_costs_of_the_file_stay(catalog: Catalog) -> None:
    cost = np.full((3, 1), 0.25)
    found = priced(table(("gpt-5",), cost), {}, catalog)
    assert found.table.cost_usd.tolist() == cost.tolist()
    assert found.prices[0].by == "file"
    assert found.prices[0].model.usd_per_request == 0.25


def test_a_list_price_by_estimated_tokens(catalog: Catalog) -> None:
    found = priced(table(("openai/gpt-5",), answers="It was the second one."), {}, catalog)
    price = found.prices[0]
    tokens = (class_mix_tokens(PROMPT), class_mix_tokens("It was the second one."))
    assert price.by == "list"
    assert price.model.input_usd_per_mtok is not None
    assert price.model.output_usd_per_mtok is not None
    expected = (tokens[0] * price.model.input_usd_per_mtok + tokens[1] * price.model.output_usd_per_mtok) / 1e6
    assert found.table.cost_usd[:, 0] == pytest.approx([expected] * 3)
    assert price.filled_cells_count == 3


def test_open_models_take_the_median_of_their_sellers(catalog: Catalog) -> None:
    price = priced(table(("llama-3.1-8b-instruct",)), {}, catalog).prices[0]
    assert price.by == "sellers"
    assert "who list it" in price.words


def test_a_size_in_the_name_is_a_guess_and_says_so(catalog: Catalog) -> None:
    small, large = priced(table(("codegemma-7b", "own-finetune-70b")), {}, catalog).prices
    assert (small.by, large.by) == ("size", "size")
    assert small.words.startswith("a guess")
    assert small.model.usd_per_request is not None
    assert large.model.usd_per_request == pytest.approx(10 * small.model.usd_per_request)


def test_an_unknown_cost_stays_unknown(catalog: Catalog) -> None:
    found = priced(table(("our-secret-model",)), {}, catalog)
    assert np.isnan(found.table.cost_usd).all()
    assert found.unpriced == ("our-secret-model",)
    assert found.prices[0].model.usd_per_request is None


def test_a_given_price_wins(catalog: Catalog) -> None:
    given = {"our-model": GivenPrice(0.5), "other": GivenPrice(None, 2.0, 4.0)}
    found = priced(table(("our-model", "other")), given, catalog, output_tokens=100.0)
    assert found.table.cost_usd[:, 0].tolist() == [0.5] * 3
    assert found.table.cost_usd[0, 1] == pytest.approx((class_mix_tokens(PROMPT) * 2 + 100 * 4) / 1e6)


def test_only_what_was_tried_is_priced(catalog: Catalog) -> None:
    mine = table(("gpt-5",))
    mine.success[1, 0] = np.nan
    assert np.isnan(priced(mine, {}, catalog).table.cost_usd[:, 0]).tolist() == [False, True, False]


def test_a_price_for_nobody_is_named(catalog: Catalog) -> None:
    with pytest.raises(LearningError, match="a price for gtp-5, which no outcome names; the file has gpt-5"):
        priced(table(("gpt-5",)), {"gtp-5": GivenPrice(1.0)}, catalog)


@pytest.mark.parametrize("text", ["mixtral", "=1", "m=", "m=a", "m=-1", "m=1/2/3", "m=nan", "m=1/-2", "m=1e999"])
def test_no_price_is_an_error(text: str) -> None:
    with pytest.raises(LearningError, match="saw no price"):
        given_price(text)


def test_a_name_may_hold_an_equals_sign() -> None:
    assert given_price("a=b=0.1") == ("a=b", GivenPrice(0.1))
