"""Token list: compared model by model; what is not to be believed keeps the last good price."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from breakeven.catalog.files import read_files
from breakeven.catalog.refresh.moves import Move, Status
from breakeven.catalog.refresh.token_list import TokenProposal, propose
from breakeven.errors import RefreshError
from price_server import token_list

TODAY = date(2026, 11, 23)
FILES = read_files()
LIST = token_list()


def proposed(content: Any, *accepted: str) -> TokenProposal:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return propose(raw, "http://list", FILES, frozenset(accepted), TODAY)


def edited(provider: str, model: str, **prices: Any) -> list[dict[str, Any]]:
    """The list with some prices of one model changed."""
    content: list[dict[str, Any]] = json.loads(json.dumps(LIST))
    (found,) = [m for p in content if p["id"] == provider for m in p["models"] if m["id"] == model]
    found["prices"].update(prices)
    return content


def moves_of(proposal: TokenProposal, name: str) -> dict[str, Move]:
    return {each.what: each for each in proposal.moves if each.name == name}


def test_the_packages_own_prices_move_nothing() -> None:
    proposal = proposed(LIST)
    assert not proposal.held_back
    changed = {each.name for each in proposal.moves if each.status is not Status.UNCHANGED}
    assert changed <= {"mistral/mistral-large-4"}  # its batch price follows the clock, which the sample does not
    assert moves_of(proposal, "openai-gpt-5")["input"].in_catalogue


def test_a_moved_price_is_told_under_the_offers_name() -> None:
    move = moves_of(proposed(edited("openai", "gpt-5", input_mtok=1.0)), "openai-gpt-5")["input"]
    assert (move.old_usd, move.new_usd, move.status) == (1.25, 1.0, Status.CHANGED)
    assert move.change_fraction == pytest.approx(-0.2)


@pytest.mark.parametrize("price", [1.25 * 1.6, 1.25 * 0.4, 1250.0])
def test_a_jump_waits_for_a_yes_and_holds_the_whole_model_back(price: float) -> None:
    content = edited("openai", "gpt-5", input_mtok=price, output_mtok=9.0)
    held = proposed(content)
    assert held.held_back == ("openai/gpt-5",)
    assert {each.status for each in moves_of(held, "openai-gpt-5").values()} == {Status.HELD_BACK}
    believed = proposed(content, "openai-gpt-5")
    assert not believed.held_back
    assert moves_of(believed, "openai-gpt-5")["input"].status is Status.CHANGED


def test_zero_and_the_absurd_are_believed_from_nobody() -> None:
    for price, said in ((0, "fell to 0, which is no price"), (5_000.0, "implausible")):
        held = proposed(edited("openai", "gpt-5", input_mtok=price), "all")
        assert held.held_back == ("openai/gpt-5",)
        assert said in moves_of(held, "openai-gpt-5")["input"].reason


def test_a_new_model_is_new_and_a_lost_one_keeps_its_price() -> None:
    content = json.loads(json.dumps(LIST))
    (openai,) = [each for each in content if each["id"] == "openai"]
    openai["models"] = [each for each in openai["models"] if each["id"] != "gpt-4.1"]
    new = {"id": "gpt-7", "match": {"equals": "gpt-7"}, "prices": {"input_mtok": 2.0, "output_mtok": 8.0}}
    openai["models"].append(new)
    proposal = proposed(content)
    assert moves_of(proposal, "openai/gpt-7")["output"].status is Status.NEW
    assert not moves_of(proposal, "openai/gpt-7")["output"].in_catalogue
    assert moves_of(proposal, "openai-gpt-4.1")["input"].status is Status.KEPT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>404</html>", "not a price list of genai-prices"),
        (b"[]", "wanted a list of providers"),
        (b'{"providers": []}', "wanted a list of providers"),
        (b'[{"id": "openai"}]', "not a price list of genai-prices"),
        (b"\xff\xfe\x00", "not a price list"),
        (json.dumps(LIST).encode()[:-400], "not a price list"),
        (json.dumps(LIST[:3]).encode(), r"the list is partial"),
        (json.dumps(edited("openai", "gpt-5", input_mtok=float("nan"))).encode(), "NaN is no price"),
        (json.dumps(edited("openai", "gpt-5", input_mtok=float("inf"))).encode(), "Infinity is no price"),
        (json.dumps(edited("openai", "gpt-5", input_mtok=-1.25)).encode(), "a price of -1.25"),
        (json.dumps(edited("openai", "gpt-5", input_mtok="cheap")).encode(), "not a price list"),
        (b"[" * 100_000, "not a price list"),
    ],
)
def test_what_is_no_whole_list_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(RefreshError, match=message) as caught:
        proposed(content, "all")
    assert str(caught.value).startswith("http://list: ")
