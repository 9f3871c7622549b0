"""Names of models as logs write them: priced as the right provider's model, or unpriced with the nearest; never 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.genai_price_list import Listing, NotListed, find_listing
from breakeven.catalog.load import load_catalog, with_model_aliases
from breakeven.catalog.model_names import ModelAlias
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow, price_table

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
CATALOG = load_catalog(date(2026, 11, 20))
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


def row(key: PriceKey, *aliases: ModelAlias, contract: tuple[ContractPrice, ...] = ()) -> TokenPriceRow:
    return price_table([key], DAY, DAY, contract, with_model_aliases(CATALOG, aliases))[0]


@pytest.mark.parametrize(
    ("provider", "model", "listed"),
    [
        (
            "aws.bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "aws.bedrock",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            None,
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "anthropic",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (None, "meta.llama3-3-70b-instruct-v1:0", "aws/meta.llama3-3-70b-instruct-v1:0"),
        ("azure.ai.openai", "gpt-4o-2024-08-06", "azure/gpt-4o"),
        ("azure_ai", "gpt-5", "azure/gpt-5"),
        ("Azure OpenAI", "gpt-35-turbo", "azure/gpt-3.5-turbo"),
        ("openrouter", "openai/gpt-5-2025-08-07", "openrouter/openai/gpt-5"),
        ("openrouter", "openai/gpt-5:nitro", "openrouter/openai/gpt-5"),
        ("anthropic", "Claude Opus 4.6", "anthropic/claude-opus-4-6"),
        ("anthropic", "Claude Haiku 3.5", "anthropic/claude-3-5-haiku-latest"),
        (None, "Claude Sonnet 4.5", "anthropic/claude-sonnet-4-5"),
        ("google", "Gemini 2.5 Flash", "google/gemini-2.5-flash"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("google", "models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("openai", "gpt-5-2025-08-07", "openai/gpt-5"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", "openai/ft:gpt-4o-mini"),
    ],
)
def test_what_it_is_priced_as(provider: str | None, model: str, listed: str) -> None:
    found = find_listing(provider, model)
    assert isinstance(found, Listing), found
    assert found.name == listed
    priced = row(PriceKey(provider, model))
    assert (priced.status, priced.model, priced.matched_model) == ("priced", model, listed)


@pytest.mark.parametrize(
    ("provider", "model", "said"),
    [
        ("openai", "gpt-5-mni", "nearest is 'gpt-5-mini'"),
        ("azure.ai.openai", "my-gpt5-prod", "nearest is 'gpt-5'"),
        ("azure.ai.openai", "chat-prod", "model_aliases"),
        ("aws.bedrock", PROFILE, "does not tell its model"),
        (None, PROFILE, "does not tell its model"),
        ("openai", "ft:gpt-4.1-2025-04-14:acme::abc", "a price of its own"),
        ("azure", "gpt-4o-2024-08-06.ft-0a1b", "a price of its own"),
        ("openrouter", "nobody/nothing-9:free", "openrouter lists no model"),
        (None, "gpt5", "the log names no provider"),
    ],
)
def test_what_nobody_lists_is_unpriced_and_says_what_to_do(provider: str | None, model: str, said: str) -> None:
    found = find_listing(provider, model)
    assert isinstance(found, NotListed)
    assert said in found.reason
    unpriced = row(PriceKey(provider, model))
    assert (unpriced.status, unpriced.input_usd_per_mtok) == ("unpriced", None)


def test_a_variant_says_what_was_assumed() -> None:
    assert "':online'" in row(PriceKey("openrouter", "openai/gpt-5:online")).reason
    assert "web searches are billed besides" in row(PriceKey("openrouter", "openai/gpt-5:online")).reason


def test_a_free_model_never_falls_back_to_a_paid_one() -> None:
    assert isinstance(find_listing("openrouter", "openai/gpt-5:free"), NotListed)


@pytest.mark.parametrize("name", ["chat-prod", "azure.ai.openai/chat-prod", "CHAT-PROD"])
def test_a_deployment_is_priced_as_what_the_scenario_says_it_is(name: str) -> None:
    alias = ModelAlias(name, "azure/gpt-5")
    key = PriceKey("azure.ai.openai", "chat-prod")
    found, meant = row(key, alias), row(PriceKey("azure", "gpt-5"))
    assert (found.input_usd_per_mtok, found.output_usd_per_mtok) == (
        meant.input_usd_per_mtok,
        meant.output_usd_per_mtok,
    )
    assert (found.provider, found.model, found.matched_model) == ("azure.ai.openai", "chat-prod", "azure/gpt-5")
    assert found.reason.startswith("means azure/gpt-5")
    assert row(replace(key, model="chat-test"), alias).status == "unpriced"


def test_an_alias_of_another_provider_does_not_count() -> None:
    assert row(PriceKey("azure", "chat-prod"), ModelAlias("openai/chat-prod", "openai/gpt-5")).status == "unpriced"


def test_an_alias_of_nothing_is_unpriced() -> None:
    found = row(PriceKey("azure", "chat-prod"), ModelAlias("chat-prod", "azure/gpt-99"))
    assert (found.status, found.input_usd_per_mtok) == ("unpriced", None)
    assert found.reason.startswith("means azure/gpt-99; azure lists no model 'gpt-99'")


def test_aliases_that_name_each_other_do_not_turn_in_a_circle() -> None:
    one, other = ModelAlias("a", "azure/b"), ModelAlias("b", "azure/a")
    assert row(PriceKey("azure", "a"), one, other).status == "unpriced"


def test_a_contract_goes_over_an_alias_by_either_name() -> None:
    alias, key = ModelAlias(PROFILE, "aws/amazon.nova-lite-v1:0"), PriceKey("aws.bedrock", PROFILE)
    assert row(key, alias).status == "priced"
    for provider, model in (("aws.bedrock", PROFILE), ("aws", "amazon.nova-lite-v1:0")):
        agreed = ContractPrice(model, 1.25, 2.5, provider=provider)
        assert row(key, alias, contract=(agreed,)).input_usd_per_mtok == 1.25


def test_no_aliases_leave_the_catalogue_as_it_is() -> None:
    assert with_model_aliases(CATALOG, ()) is CATALOG
    alias = (ModelAlias("a", "azure/gpt-5"),)
    assert with_model_aliases(CATALOG, alias) is with_model_aliases(CATALOG, alias)
