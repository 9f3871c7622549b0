"""The shape of the files beside the offers: who sells, what other price lists say, and how dirty electricity is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel, model_validator

from breakeven.catalog.carbon import CarbonScope
from breakeven.catalog.schema_base import Amount, Entry, Positive, SourceEntry, Text


class ProviderEntry(Entry):
    """Who sells, and what is known of how it treats data. A field that is null or absent is unknown, not "no"."""

    title: Text
    jurisdiction: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    """ISO 3166 alpha-2 code of the country whose law binds the contracting company."""
    processing_regions: Annotated[list[Annotated[str, Field(pattern="^[A-Z]{2}$")]], Field(min_length=1)] | None = None
    """Everywhere that requests may be processed, as ISO 3166 codes, EU for the Union; the choices are in the note."""
    retention_days: Amount | None = None
    """How long prompts or answers are kept by default. 0: they are not."""
    trains_on_data: bool | None = None
    """Whether customers' API data trains models by default."""
    certifications: list[Text] | None = None
    from_memory: list[Text] = Field(default_factory=list)
    """Fields that were written from memory and not read in the source."""
    source: SourceEntry
    note: str = ""

    @model_validator(mode="after")
    def _memory_is_of_fields(self) -> ProviderEntry:
        allowed = ("jurisdiction", "processing_regions", "retention_days", "trains_on_data", "certifications")
        for name in self.from_memory:
            if name not in allowed or getattr(self, name) is None:
                raise ValueError(f"from_memory: '{name}' is not a given field; wanted one of {', '.join(allowed)}")
        return self


class ProviderFile(RootModel[dict[str, ProviderEntry]]):
    """data/providers.yaml: name -> provider."""


class PriceQuoteEntry(Entry):
    """What one price list says about one model, USD per million tokens."""

    source: Text
    """Key of an entry under `sources`."""
    input_usd_per_mtok: Positive
    output_usd_per_mtok: Positive
    cache_read_usd_per_mtok: Positive | None = None
    """Absent: the list names none."""
    left_out: Text | None = None
    """Why this quote is shown but never part of a range: another product, or a price known to have ended."""
    note: str = ""


class PriceSourcesFile(Entry):
    """data/price_sources.yaml: the same models as several price lists price them."""

    sources: dict[str, SourceEntry] = Field(default_factory=dict)
    quotes: dict[str, Annotated[list[PriceQuoteEntry], Field(min_length=1)]] = Field(default_factory=dict)
    """provider/model, as the first list calls it -> quotes; the first is the one that this catalogue prices with."""

    @model_validator(mode="after")
    def _consistent(self) -> PriceSourcesFile:
        for name, quotes in self.quotes.items():
            names = [quote.source for quote in quotes]
            if unknown := [each for each in names if each not in self.sources]:
                raise ValueError(f"{name}: no source '{unknown[0]}' under `sources`")
            if len(set(names)) < len(names):
                raise ValueError(f"{name}: a source is quoted twice")
        return self


class CarbonValueEntry(Entry):
    """What one source says about the grid of a zone."""

    g_per_kwh: Amount
    source: Text
    """Key of an entry under `sources`; the value holds from the day that source was read."""
    data_year: Annotated[int, Field(ge=1990)] | None = None
    """The year the electricity was generated; absent: the source does not say."""


class CarbonZoneEntry(Entry):
    """The grid of a country or of a cloud region."""

    name: Text
    scope: CarbonScope
    values: Annotated[list[CarbonValueEntry], Field(min_length=1)]
    """One per source; append only."""

    @model_validator(mode="after")
    def _each_source_once(self) -> CarbonZoneEntry:
        names = [value.source for value in self.values]
        if len(set(names)) < len(names):
            raise ValueError("a source gives two values for this zone; keep one")
        return self


class CarbonFile(Entry):
    """data/carbon.yaml: grams of CO2 equivalent per kWh by zone."""

    sources: dict[str, SourceEntry] = Field(default_factory=dict)
    """Shared by the zones, because each source covers hundreds."""
    zones: dict[str, CarbonZoneEntry] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sources_exist(self) -> CarbonFile:
        for zone, entry in self.zones.items():
            for value in entry.values:
                if value.source not in self.sources:
                    raise ValueError(f"{zone}: no source '{value.source}' under `sources`")
        return self
