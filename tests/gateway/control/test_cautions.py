"""Cautions: what a configuration allows and yet may surprise is said, and what is usual is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.parts.settings_for_tests import key, models_at, settings_for, upstream_at
from tests.routing.policies_at_hand import document

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.cautions import cautions, policy_cautions
from breakeven.gateway.upstream import TokenPrice

UPSTREAM = upstream_at(1)


WHOLE_PRICE = TokenPrice(1.0, 2.0, 0.1)


def settings(price: TokenPrice | None = WHOLE_PRICE, **more: Any) -> GatewaySettings:
    return settings_for(Path("state"), [UPSTREAM], models_at(UPSTREAM, "small", price=price), **more)


def test_a_usual_gateway_needs_no_word() -> None:
    assert cautions(settings()) == ()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (settings(listen_host="0.0.0.0", is_open=True), "It is open and listens on 0.0.0.0"),
        (settings(listen_host="10.0.0.1"), "without TLS: keys and prompts"),
        (settings(admin_host="::"), "The admin API listens on ::"),
        (settings(keys=()), "every request will be refused"),
        (settings(is_open=True), "their budgets, rates and models bind nobody"),
        (settings(price=None), "UNPRICED, in no budget and no total: small"),
        (
            settings(price=TokenPrice(1.0, 2.0)),
            "Cached tokens cost what other input costs",
        ),
        (settings(prompts="full"), "Prompts are stored in full"),
        (settings(keys=(key(budget_usd=5.0),)), "durability: batch"),
    ],
)
def test_what_may_surprise_is_said(made: GatewaySettings, words: str) -> None:
    assert [each for each in cautions(made) if words in each]


def test_own_servers_have_no_cache_price_to_miss() -> None:
    assert cautions(settings(price=TokenPrice(0.5, 0.5, source="amortised"))) == ()
    assert cautions(settings(price=TokenPrice(None, None, usd_per_request=0.001))) == ()


def test_with_tls_and_a_key_the_network_is_fine() -> None:
    made = settings(listen_host="0.0.0.0", admin_host="0.0.0.0")
    public = replace(made, tls_certificate=Path("c"), tls_key=Path("k"))
    assert [each for each in cautions(public) if "The admin API listens" in each]
    assert cautions(replace(public, admin_tls_certificate=Path("c"), admin_tls_key=Path("k"))) == ()


def test_a_cascade_that_is_served_otherwise_than_its_file_may_be_read() -> None:
    cascade = document("cascade")
    assert cascade.cascade is not None
    compared, plain = (
        replace(cascade, cascade=replace(cascade.cascade, agreement_model=each, order_by_task={}))
        for each in ("small", None)
    )
    last = cascade.cascade.order[-1]
    stream, itself = policy_cautions(compared)
    assert f"({last}) answers, unchecked" in stream and "small is in the cascade's order" in itself
    third = replace(cascade, cascade=replace(cascade.cascade, agreement_model="other", order_by_task={}))
    assert policy_cautions(third) == (stream,)
    (said,) = policy_cautions(plain)
    assert said.startswith(
        f"Of streamed requests the last model of the cascade's order ({last}) answers, unchecked, unless"
    )
    assert policy_cautions(document("task_map")) == ()
