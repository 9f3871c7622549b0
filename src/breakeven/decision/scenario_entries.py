"""Scenario entries: the parts of a scenario file that have keys of their own."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from breakeven.errors import UnknownName
from breakeven.facts.source import Grade


class Strict(BaseModel):
    """Every key is known, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("wanted a number; `yes` and `true` are none")
    return value


Number = Annotated[float, BeforeValidator(_no_switch)]
"""A number; YAML's `yes` is not 1."""


def _in_full(said: tuple[str, ...]) -> tuple[str, ...]:
    from breakeven.options.discover import options_said

    try:
        return options_said(said)
    except UnknownName as error:
        raise ValueError(str(error)) from None


OptionNames = Annotated[tuple[str, ...], AfterValidator(_in_full)]
"""Names of options; a short name or a group (`spot`, `managed`) becomes what it stands for."""


class Places(dict[str, str]):
    """File and line by dotted key. Where a scenario stands is no part of what it says: all are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    def __ne__(self, other: object) -> bool:
        return not self == other


class RangeOverride(Strict):
    """A range that replaces a catalogue's or an offer's."""

    low: Number
    """5 % quantile."""
    typical: Number
    """Median."""
    high: Number
    """95 % quantile."""
    source: str = "scenario"
    """Where you have it from."""
    grade: Grade = Grade.QUOTED
    """measured, official, quoted, expert or guess."""

    @model_validator(mode="after")
    def _ordered(self) -> RangeOverride:
        if not self.low <= self.typical <= self.high:
            raise ValueError(f"low <= typical <= high does not hold: {self.low}, {self.typical}, {self.high}")
        return self


class ContractPriceEntry(Strict):
    """A price per token that you agreed with a provider; it goes over every list price."""

    provider: str
    """Provider as the log names it, e.g. ``openai``."""
    model: str
    """Model as the log names it."""
    input_usd_per_mtok: Number = Field(ge=0)
    """Uncached input, USD per million tokens."""
    output_usd_per_mtok: Number = Field(ge=0)
    """Output, USD per million tokens."""
    cache_read_usd_per_mtok: Number | None = Field(default=None, ge=0)
    """Cached input; the input price when absent."""
    cache_write_usd_per_mtok: Number | None = Field(default=None, ge=0)
    """Input written to the cache; the input price when absent."""
    since: date | None = None
    """First day of the contract."""
    until: date | None = None
    """First day after the contract."""
    is_batch: bool = False
    """True: the price of calls through the provider's batch API; other calls keep theirs."""
    _place: str = PrivateAttr(default="")
    """File and line; empty when no file was read."""

    @property
    def place(self) -> str:
        """File and line of the entry; empty when no file was read."""
        return self._place


class RequireEntry(Strict):
    """Hard constraints on whoever processes the data; what nobody knows is not met."""

    jurisdictions: tuple[str, ...] = ()
    """Countries whose law the provider may be under, e.g. [DE, US]; EU stands for its member states."""
    processing_regions: tuple[str, ...] = ()
    """Regions in which data may be processed; a provider that may process elsewhere too does not meet it."""
    retention_max_days: Number | None = Field(default=None, ge=0)
    """Longest time the provider may keep prompts and answers; 0: not at all."""
    no_training: bool = False
    """true: the provider must not train on the data."""
    certifications: tuple[str, ...] = ()
    """Certificates the provider must hold, all of them, e.g. [SOC 2 Type 2, ISO 27001]."""


class AnswersEntry(Strict):
    """What only you can say of the five questions; a question without an answer stays unknown."""

    data_sensitive: bool | None = None
    """Whether the data is sensitive: personal, regulated, or secret."""
    fine_tuning: bool | None = None
    """Whether the work needs a model of your own, trained further on your data."""
    mlops_team: bool | None = None
    """Whether people are there who can run models on GPUs."""
    accuracy: bool | None = None
    """Whether an open model reaches 95 % of the quality you need, measured on your own tasks."""


class ProviderEntry(Strict):
    """What you know of a provider, e.g. from your contract; it goes over the catalogue's."""

    jurisdiction: str | None = None
    """Country whose law the provider is under."""
    processing_regions: tuple[str, ...] | None = None
    """Every region in which it may process your data."""
    retention_days: Number | None = Field(default=None, ge=0)
    """How long it keeps prompts and answers."""
    trains_on_data: bool | None = None
    """Whether it trains on your data."""
    certifications: tuple[str, ...] | None = None
    """Certificates it holds."""
    in_own_vpc: bool | None = None
    """Whether it runs inside your own account or VPC, so that no data leaves it."""


class CorrelationEntry(Strict):
    """Two facts that move together: give `rank` (Spearman's) or `normal` (Pearson's, of the normal scores)."""

    between: tuple[str, str]
    """The two facts, by name."""
    rank: Number | None = Field(default=None, ge=-1, le=1)
    """Rank correlation, from -1 to 1."""
    normal: Number | None = Field(default=None, ge=-1, le=1)
    """Correlation of the normal scores, from -1 to 1."""

    @model_validator(mode="after")
    def _one_of_both(self) -> CorrelationEntry:
        if (self.rank is None) == (self.normal is None):
            raise ValueError("wanted one of `rank` and `normal`, a number from -1 to 1")
        if self.between[0] == self.between[1]:
            raise ValueError(f"'{self.between[0]}' with itself; wanted two facts")
        return self
