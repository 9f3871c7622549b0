"""The shape of the catalogue's YAML files, published as docs/reference/catalog.schema.json for editors.

Strict on purpose: a quoted number, an unquoted `no`, a date written as a year are refused rather than guessed at.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, RootModel, model_validator

from breakeven.catalog.hardware import Vendor
from breakeven.catalog.market import market_range
from breakeven.catalog.model import Precision
from breakeven.catalog.offer import GpuTerm, TokenOfferKind
from breakeven.catalog.schema_base import Amount, Count, Entry, Positive, RangeEntry, SourceEntry, Text
from breakeven.catalog.schema_context import CarbonFile, PriceSourcesFile, ProviderFile

Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
PURCHASE_FACT = "gpu_price_usd"
RENT_FACT = "gpu_rent_usd_per_gpu_hour"


class QuoteEntry(Entry):
    """One provider's price behind a market range."""

    provider: Text
    usd_per_gpu_hour: Positive
    gpus_count: Annotated[int, Field(ge=1)]
    segment: str = ""
    """marketplace, neocloud or hyperscaler."""


class _DatedEntry(Entry):
    """A value from a day on: exactly one of its alternatives; null ends the value on that day."""

    alternatives: ClassVar[tuple[str, ...]] = ("range", "expected")

    since: date
    """First day on which it holds."""
    source: SourceEntry
    note: str = ""

    @model_validator(mode="after")
    def _one_alternative(self) -> _DatedEntry:
        given = [name for name in self.alternatives if name in self.model_fields_set]
        if len(given) != 1:
            raise ValueError(f"wanted exactly one of {', '.join(self.alternatives)}; saw {given or 'none'}")
        return self


class DatedRange(_DatedEntry):
    """A range from a day on."""

    range: RangeEntry | None = None
    """null: the value ends on this day."""
    expected: RangeEntry | None = None
    """Announced for a day that has not come yet; used from that day on, and listed as unconfirmed."""
    quotes: list[QuoteEntry] | None = None
    """The prices that the range summarises, one per provider (see market.py)."""

    @model_validator(mode="after")
    def _range_is_of_its_quotes(self) -> DatedRange:
        value = self.range or self.expected
        if self.quotes is None or value is None:
            return self
        names = [quote.provider for quote in self.quotes]
        if len(set(names)) < len(names):
            raise ValueError("a provider is quoted twice; keep one price per provider")
        of_quotes = market_range([quote.usd_per_gpu_hour for quote in self.quotes])
        wanted = (of_quotes.low, of_quotes.typical, of_quotes.high)
        if not all(map(math.isclose, wanted, (value.low, value.typical, value.high))):
            raise ValueError(f"the range is not that of its quotes: wanted {wanted}, saw {value!r}")
        return self

    @property
    def value(self) -> RangeEntry | None:
        """The range in force, confirmed or announced; None when the value has ended."""
        return self.range or self.expected


class AssumptionEntry(Entry):
    """An uncertain number with its history."""

    dimension: Count
    """Sobol dimension of this name: unique, never reused, so that an added entry moves no other draw."""
    unit: Text
    """Must be the unit that the suffix of the name declares."""
    values: Annotated[list[DatedRange], Field(min_length=1)]
    """Oldest first; append only."""

    @model_validator(mode="after")
    def _oldest_first(self) -> AssumptionEntry:
        _check_ascending([value.since for value in self.values])
        return self


class AssumptionFile(RootModel[dict[str, AssumptionEntry]]):
    """data/assumptions/*.yaml and data/fx.yaml: name -> assumption."""


class GpuOfferEntry(Entry):
    """GPUs for rent by the hour, or to buy."""

    gpu: Text
    """Name of an entry under data/hardware."""
    term: GpuTerm
    provider: Text
    """A provider of data/providers.yaml, or `market` for the spread over providers."""
    scales_to_zero: bool = False
    """Endpoints only: whether nothing is billed while no request comes."""
    facts: Annotated[dict[str, AssumptionEntry], Field(min_length=1)]
    """Facts that this offer fixes. Offers share a name (and its dimension) on purpose: it is the same risk."""

    @model_validator(mode="after")
    def _says_what_it_costs(self) -> GpuOfferEntry:
        wanted = PURCHASE_FACT if self.term == "purchase" else RENT_FACT
        if wanted not in self.facts:
            raise ValueError(f"an offer on terms '{self.term}' needs the fact {wanted}")
        if self.scales_to_zero and self.term != "endpoint":
            raise ValueError("scales_to_zero: only an endpoint can")
        return self


class GpuOfferFile(RootModel[dict[str, GpuOfferEntry]]):
    """data/offers/gpu_*.yaml: name -> offer of GPUs."""


class TokenPricesEntry(Entry):
    """Prices per million tokens in the offer's currency."""

    input_per_mtok: Amount
    output_per_mtok: Amount
    cache_read_per_mtok: Amount | None = None
    """Absent: cached input is billed at the input price."""
    cache_write_per_mtok: Amount | None = None
    """Absent: cache writes are billed at the input price."""

    @model_validator(mode="after")
    def _not_free(self) -> TokenPricesEntry:
        if self.input_per_mtok == 0 and self.output_per_mtok == 0:
            raise ValueError("0 is not a price; write `unpriced: free tier, because ...` instead of `prices`")
        return self


class DatedTokenPricesEntry(_DatedEntry):
    """Token prices from a day on."""

    alternatives: ClassVar[tuple[str, ...]] = ("prices", "expected", "unpriced")

    prices: TokenPricesEntry | None = None
    """null: the offer ends on this day."""
    expected: TokenPricesEntry | None = None
    """Announced for a day that has not come yet."""
    unpriced: Text | None = None
    """Why there is no usable price from this day on."""

    @property
    def value(self) -> TokenPricesEntry | None:
        """The prices in force, confirmed or announced; None when there are none."""
        return self.prices or self.expected


class GenaiPricesEntry(Entry):
    """Where the genai-prices package lists an offer."""

    provider: Text
    model: Text


class TokenOfferEntry(Entry):
    """Tokens for sale: a reference into genai-prices, or dated prices of our own."""

    kind: TokenOfferKind
    provider: Text
    model: Text
    """A model of data/models for an open model; the model's id for a closed one."""
    model_ids: Annotated[list[Text], Field(min_length=1)]
    """Ids under which usage logs know it; the usual one first."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    unit: Text
    """currency/mtok, in small letters."""
    source: SourceEntry
    genai_prices: GenaiPricesEntry | None = None
    values: list[DatedTokenPricesEntry] | None = None
    """Oldest first; append only."""
    cheaper_tier: Text | None = None
    """Name of an offer of the same provider for easier work; frontier offers only."""
    batch_discount_fraction: Share | None = None
    """Share taken off the list price for batch requests. Absent: unknown."""
    retires: date | None = None
    """Day on which, by somebody's list, the provider stops serving it; the note says whose."""
    note: str = ""

    @model_validator(mode="after")
    def _one_price_list(self) -> TokenOfferEntry:
        if (self.genai_prices is None) == (not self.values):
            raise ValueError("wanted exactly one of genai_prices (a reference) or values (dated prices)")
        unit = f"{self.currency.lower()}/mtok"
        if self.unit != unit:
            raise ValueError(f"unit: wanted '{unit}' for currency {self.currency}, saw '{self.unit}'")
        if self.cheaper_tier is not None and self.kind != "frontier":
            raise ValueError(f"cheaper_tier: only a frontier offer has one, this one is {self.kind}")
        _check_ascending([value.since for value in self.values or ()])
        return self


class TokenOfferFile(RootModel[dict[str, TokenOfferEntry]]):
    """data/offers/tokens*.yaml: name -> offer of tokens."""


class GpuEntry(Entry):
    """Facts of one GPU; TFLOP/s are dense."""

    memory_gb: Positive
    """What nvidia-smi or rocm-smi shows, in 1e9 bytes."""
    bandwidth_gb_per_s: Positive
    bf16_tflops: Positive
    fp8_tflops: Positive | None
    fp4_tflops: Positive | None
    power_w: Positive
    link_gb_per_s: Positive
    source: SourceEntry
    note: str = ""
    vendor: Vendor = "nvidia"
    aliases: list[Text] = Field(default_factory=list)
    """Other names of the same board, beyond those that follow by rule."""


class HardwareFile(RootModel[dict[str, GpuEntry]]):
    """data/hardware/*.yaml: name -> GPU."""


class ModelEntry(Entry):
    """Architecture of one open model."""

    hf_id: Text
    params_count: Positive
    active_params_count: Positive
    layers_count: Annotated[int, Field(ge=1)]
    hidden_size_count: Annotated[int, Field(ge=1)]
    heads_count: Annotated[int, Field(ge=1)]
    kv_heads_count: Annotated[int, Field(ge=1)]
    head_dim_count: Annotated[int, Field(ge=1)]
    experts_count: Count = 0
    experts_per_token_count: Count = 0
    kv_bytes_per_token: Positive
    sliding_window_tokens: Count = 0
    sliding_layers_count: Count = 0
    context_tokens: Annotated[int, Field(ge=1)]
    native_precision: Precision
    weights_gb: Annotated[dict[Precision, Positive], Field(min_length=1)]
    expert_weights_gb: dict[Precision, Positive] = Field(default_factory=dict)
    source: SourceEntry
    note: str = ""
    vocab_count: Annotated[int, Field(ge=1)]
    intermediate_size_count: Count = 0
    """Width of the feed-forward part of a layer without routed experts; absent: every layer has them."""
    expert_size_count: Count = 0
    latent_attention: bool = False
    """The cache is one latent per token and layer, which tensor parallelism cannot split."""
    state_layers_count: Count = 0
    """Layers with a state of fixed size in place of a growing cache."""
    state_gb: Amount = 0.0
    """State of one running sequence over all those layers."""
    sparse_attention_tokens: Count = 0
    fp8_block_scaled: bool = False
    """FP8 weights carry a scale per block of values."""
    aliases: list[Text] = Field(default_factory=list)
    """Other names of the same architecture, beyond those that follow by rule."""

    @model_validator(mode="after")
    def _consistent(self) -> ModelEntry:
        if self.active_params_count > self.params_count:
            raise ValueError("active_params_count is larger than params_count")
        if self.native_precision not in self.weights_gb:
            raise ValueError(f"weights_gb has no entry for the native precision {self.native_precision}")
        is_moe = self.experts_count > 0
        if is_moe != bool(self.expert_weights_gb) or is_moe != (self.experts_per_token_count > 0):
            raise ValueError("experts_count, experts_per_token_count and expert_weights_gb go together")
        if is_moe != (self.expert_size_count > 0) or not (is_moe or self.intermediate_size_count):
            raise ValueError("expert_size_count goes with experts, intermediate_size_count with layers without them")
        if (self.state_layers_count > 0) != (self.state_gb > 0):
            raise ValueError("state_layers_count and state_gb go together")
        if is_moe and set(self.expert_weights_gb) != set(self.weights_gb):
            raise ValueError("expert_weights_gb must name the same precisions as weights_gb")
        return self


class ModelFile(RootModel[dict[str, ModelEntry]]):
    """data/models/*.yaml: name -> model."""


class GenaiPricesRelease(Entry):
    """The release of genai-prices that this catalogue was checked with."""

    version: Text
    read: date


class CatalogueFile(Entry):
    """data/catalogue.yaml: when somebody last looked at the whole."""

    checked: date
    """No source may be read after this day; move it when appending rows."""
    genai_prices: GenaiPricesRelease


FILE_MODELS: dict[str, type[BaseModel]] = {
    "catalogue": CatalogueFile,
    "assumptions": AssumptionFile,
    "gpu_offers": GpuOfferFile,
    "token_offers": TokenOfferFile,
    "hardware": HardwareFile,
    "models": ModelFile,
    "providers": ProviderFile,
    "price_sources": PriceSourcesFile,
    "carbon": CarbonFile,
}
"""Kind of file -> its shape."""


def json_schema() -> dict[str, Any]:
    """One JSON Schema (2020-12) for every kind of file of the catalogue."""
    from pydantic.json_schema import models_json_schema

    _, schema = models_json_schema(
        [(model, "validation") for model in FILE_MODELS.values()], title="breakeven catalogue"
    )
    for model in _entries(Entry):
        fields = schema["$defs"].get(model.__name__, {}).get("properties", {})
        for name, text in _field_docs(model).items():
            fields.get(name, {})["description"] = text
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in FILE_MODELS.values()],
    }


def _entries(base: type[Entry]) -> Iterator[type[Entry]]:
    for model in base.__subclasses__():
        yield model
        yield from _entries(model)


def _field_docs(model: type[Entry]) -> dict[str, str]:
    """The texts under the fields of `model` and its parents; read from the source, because loading must stay quick."""
    docs: dict[str, str] = {}
    for parent in reversed([each for each in model.__mro__ if issubclass(each, Entry)]):
        (definition,) = ast.parse(inspect.getsource(parent)).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                docs[ast.unparse(field.target)] = inspect.cleandoc(str(text.value.value))
    return docs


def _check_ascending(days: list[date]) -> None:
    for earlier, later in pairwise(days):
        if earlier >= later:
            raise ValueError(f"values must be in order of `since`, each day once; saw {later} after {earlier}")
