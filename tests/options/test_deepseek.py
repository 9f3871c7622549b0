"""DeepSeek's own API: the mean price of a day in which it changes; nothing that has ended while another is sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from genai_prices import Usage, calc_price

from breakeven.decision.compare import typical
from breakeven.errors import UnknownName, UnknownPrice
from breakeven.options.assembly.offers import token_offer_prices
from breakeven.options.deepseek import DeepSeekApi, deepseek_offer
from breakeven.options.option import Evaluation
from costing import AS_OF, demand, situation

CATALOG = situation(demand(1)).catalog


def test_the_price_is_the_mean_over_every_minute_of_the_day() -> None:
    """Oracle: the price list's own package, asked for each minute."""
    offer = deepseek_offer(CATALOG, None)
    midnight = datetime(AS_OF.year, AS_OF.month, AS_OF.day, tzinfo=UTC)
    listed = [
        float(
            calc_price(
                Usage(input_tokens=1_000_000),
                model_ref=offer.model_ids[0],
                provider_id="deepseek",
                genai_request_timestamp=midnight + timedelta(minutes=minute),
            ).total_price
        )
        for minute in range(24 * 60)
    ]
    fact = token_offer_prices(CATALOG, offer.name).facts["input_usd_per_mtok"]
    assert fact.typical == pytest.approx(sum(listed) / len(listed), rel=1e-9)
    assert (fact.low, fact.high) == pytest.approx((min(listed), max(listed)))
    assert min(listed) < fact.typical < max(listed)
    assert "hour of the day" in fact.note


def test_an_offer_that_has_ended_is_taken_only_when_asked_for() -> None:
    chat = CATALOG.token_offers["deepseek-chat"]
    assert chat.retires is not None
    assert chat.retires <= AS_OF
    assert deepseek_offer(CATALOG, None).name != "deepseek-chat"
    named = DeepSeekApi().cost(situation(demand(100), deepseek_offer="deepseek-chat"), Evaluation(typical))
    assert named.buys == f"deepseek-chat at deepseek (law: CN), said to have ended on {chat.retires}"
    still = replace(CATALOG, token_offers={**CATALOG.token_offers, "deepseek-chat": replace(chat, retires=None)})
    assert deepseek_offer(still, None).name == "deepseek-chat"


def test_names_that_are_no_offer_of_theirs_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'deepseek-chat'"):
        deepseek_offer(CATALOG, "deepseek-chatt")
    with pytest.raises(UnknownName, match="no offer of DeepSeek's own API is named 'groq-gpt-oss-120b'"):
        deepseek_offer(CATALOG, "groq-gpt-oss-120b")
    with pytest.raises(UnknownPrice, match="lists no offer"):
        deepseek_offer(replace(CATALOG, token_offers={}), None)
