"""Scenario: what a person pinned or overrode, in one commented file that can be committed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.decision.bounds import check_bounds
from breakeven.errors import ScenarioError, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.choices import Choices
from breakeven.units import unit_of

BOUND_BY_OPTIONS = frozenset(
    {
        "success_fraction",
        "engineering_fte_count",
        "monitoring_usd_per_month",
        "incident_events_per_month",
        "incident_hours_per_event",
        "breach_exposure_ratio",
        "hourly_peak_to_mean_ratio",
        "volume_over_observed_ratio",
        "replica_capacity_req_per_s",
    }
)
"""Names that each Option binds for itself unless the scenario sets them (then for every Option alike)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class RangeOverride(_Strict):
    """A range that replaces a catalogue's or an offer's."""

    low: float
    """5 % quantile."""
    typical: float
    """Median."""
    high: float
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


class ContractPriceEntry(_Strict):
    """A price per token that you agreed with a provider; it goes over every list price."""

    provider: str
    """Provider as the log names it, e.g. ``openai``."""
    model: str
    """Model as the log names it."""
    input_usd_per_mtok: float = Field(ge=0)
    """Uncached input, USD per million tokens."""
    output_usd_per_mtok: float = Field(ge=0)
    """Output, USD per million tokens."""
    cache_read_usd_per_mtok: float | None = Field(default=None, ge=0)
    """Cached input; the input price when absent."""
    cache_write_usd_per_mtok: float | None = Field(default=None, ge=0)
    """Input written to the cache; the input price when absent."""
    since: date | None = None
    """First day of the contract."""
    until: date | None = None
    """First day after the contract."""


class Scenario(_Strict):
    """Everything that can be pinned or overridden."""

    as_of: date | None = None
    """Date whose prices and facts are used; today when absent."""
    seed: int = Field(default=0, ge=0)
    """Seed of the draws: the same seed, log and catalogue give the same report to the last digit."""
    draws_log2: int = Field(default=14, ge=6, le=20)
    """Number of draws as a power of two: 14 is 16,384."""
    frontier_model: str = "openai/gpt-5"
    """provider/model assumed for calls whose log names no model."""
    open_model: str = "gpt-oss-120b"
    """Open model that a broker or your own GPUs would serve; see docs/reference/facts.md for the names."""
    broker_offer: str | None = None
    """Token offer of the broker, for that open model; the catalogue's first when absent."""
    gpu: str = "H100-SXM-80"
    """GPU to rent."""
    precision: Literal["bf16", "fp8", "fp4"] | None = None
    """bf16, fp8 or fp4; the smallest in which the model is shipped when absent."""
    gpus_per_replica_count: int | None = Field(default=None, ge=1, le=64)
    """GPUs of one replica; the fewest that hold the model when absent."""
    options: tuple[str, ...] = ()
    """Options to compare; all of them when empty. frontier_api, the status quo, is always in."""
    overrides: dict[str, float | RangeOverride] = {}
    """Facts by name, as one number or as a range; `breakeven explain` prints the names."""
    contract_prices: tuple[ContractPriceEntry, ...] = ()
    """Prices you agreed on."""

    def choices(self) -> Choices:
        """What Options ask for."""
        return Choices(
            self.frontier_model,
            self.open_model,
            self.broker_offer,
            self.gpu,
            self.precision,
            self.gpus_per_replica_count,
        )

    def contract(self) -> tuple[ContractPrice, ...]:
        """The agreed prices, for the price table."""
        return tuple(ContractPrice(**each.model_dump()) for each in self.contract_prices)

    def facts(self, catalog: Catalog) -> dict[str, Assumption]:
        """The overrides as Assumptions; refuses a name that no Option would read, and an impossible value."""
        known = {**catalog.assumptions}
        for offer in catalog.gpu_offers.values():
            known.update(offer.facts)
        names = [*known, *BOUND_BY_OPTIONS]
        found: dict[str, Assumption] = {}
        for name, value in self.overrides.items():
            unit = unit_of(name)
            if name not in names or unit is None:
                raise ScenarioError(f"overrides: no fact is named '{name}'; {nearest(name, names)}")
            like = known.get(name)
            found[name] = _override(name, unit, value, catalog.as_of, like.dimension if like else None)
        return found

    def digest(self) -> str:
        """SHA-256 of the scenario's canonical JSON."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_scenario(path: Path | None, sets: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario file (or the defaults) and apply ``--set name=value`` pairs to its overrides.

    Raises ScenarioError naming file, line, what was seen and the nearest right key.
    """
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    where = "scenario"
    if path is not None:
        where = str(path)
        content, lines = _read(path)
    if sets:
        content = {**content, "overrides": {**(content.get("overrides") or {}), **_numbers(sets)}}
    try:
        return Scenario.model_validate({key: value for key, value in content.items() if value is not None})
    except ValidationError as error:
        raise ScenarioError("\n".join(_explain(each, where, lines) for each in error.errors())) from None


def scenario_template() -> str:
    """A commented scenario file in which every key stands at its default."""
    lines = [
        "# breakeven scenario: everything the comparison takes as given. Delete what you do not change.",
        "# Facts, their ranges and their sources: docs/reference/facts.md",
        "",
    ]
    for name, field in Scenario.model_fields.items():
        lines += [f"# {line}" for line in (field.description or "").splitlines()]
        if name == "overrides":
            lines += [
                "overrides: {}",
                "#  engineer_usd_per_year: 180000",
                "#  gpu_rent_usd_per_gpu_hour: {low: 1.65, typical: 2.35, high: 2.95, source: our quote of 3 Nov}",
            ]
        elif name == "contract_prices":
            lines += [
                "contract_prices: []",
                "#  - {provider: openai, model: gpt-5, input_usd_per_mtok: 1.0, output_usd_per_mtok: 8.0}",
            ]
        else:
            shown = yaml.safe_dump({name: _plain(field.get_default(call_default_factory=True))}, sort_keys=False)
            lines.append(shown.rstrip("\n"))
        lines.append("")
    return "\n".join(lines)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _override(name: str, unit: str, value: float | RangeOverride, as_of: date, dimension: int | None) -> Assumption:
    if isinstance(value, RangeOverride):
        low, typical, high = value.low, value.typical, value.high
        source = Source(value.source, "scenario file", as_of, value.grade)
    else:
        low = typical = high = float(value)
        source = Source("scenario", "scenario file", as_of, Grade.QUOTED)
    check_bounds(name, unit, low, high)
    return Assumption(name, unit, low, typical, high, source, dimension=dimension)


def _numbers(sets: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, text in sets.items():
        try:
            found[name] = float(text)
        except ValueError:
            raise ScenarioError(f"--set {name}={text}: wanted a number, e.g. --set {name}=1.65") from None
    return found


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Content of the file and the line of each key, by dotted path."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror}; `breakeven init` writes a scenario file") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is not UTF-8 text; `breakeven init` writes a scenario file") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path} is not valid YAML: {error}") from None
    if content is None:
        return {}, {}
    if not isinstance(content, dict):
        raise ScenarioError(
            f"{path}: saw a {type(content).__name__}; wanted keys and values as `breakeven init` writes"
        )
    return content, _lines(tree, "")


def _lines(node: yaml.Node | None, prefix: str) -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}{key.value}"
            found[path] = key.start_mark.line + 1
            found.update(_lines(value, path + "."))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            path = f"{prefix}{index}"
            found[path] = value.start_mark.line + 1
            found.update(_lines(value, path + "."))
    return found


def _explain(error: Any, where: str, lines: Mapping[str, int]) -> str:
    path = [str(each) for each in error["loc"]]
    while path and ".".join(path) not in lines and len(path) > 1:
        path.pop()  # pydantic appends the union member it tried
    dotted = ".".join(path)
    place = f"{where}, line {lines[dotted]}" if dotted in lines else where
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        inside: dict[str, type[BaseModel]] = {"overrides": RangeOverride, "contract_prices": ContractPriceEntry}
        model = Scenario if len(error["loc"]) == 1 else inside.get(str(error["loc"][0]), Scenario)
        known = list(model.model_fields)
        return f"{place}: unknown key '{key}'; {nearest(key, known)}"
    seen = "" if error["type"] == "missing" else f" (saw {error.get('input')!r})"
    return f"{place}: {dotted}: {error['msg']}{seen}"
