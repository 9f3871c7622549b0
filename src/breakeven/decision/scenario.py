"""Scenario: what a person pinned or overrode, in one commented file that can be committed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.model_names import ModelAlias
from breakeven.catalog.region import regional_facts
from breakeven.decision.audit_file import AuditFile, read_audit
from breakeven.decision.bound_names import BOUND_BY_OPTIONS, ONLY_FROM_A_SCENARIO
from breakeven.decision.bounds import LARGEST_NUMBER, LARGEST_USD, check_bounds
from breakeven.decision.correlations import check_correlations, copula_of_scenario
from breakeven.decision.measured_files import MeasuredFile, read_measured
from breakeven.decision.outcomes_file import OutcomesFile, read_outcomes_file
from breakeven.decision.scenario_entries import (
    AnswersEntry,
    ContractPriceEntry,
    CorrelationEntry,
    Number,
    OptionNames,
    Places,
    ProviderEntry,
    RangeOverride,
    RequireEntry,
    Strict,
)
from breakeven.decision.scenario_examples import EMPTY, EXAMPLES
from breakeven.decision.scenario_yaml import parse_yaml, place_of, read_yaml
from breakeven.errors import ScenarioError, UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Copula
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.choices import COMMODITY_TASKS, Choices, ProviderTerms, Requirements
from breakeven.units import unit_of

__all__ = [
    "BOUND_BY_OPTIONS",
    "ONLY_FROM_A_SCENARIO",
    "AnswersEntry",
    "ContractPriceEntry",
    "ProviderEntry",
    "RangeOverride",
    "RequireEntry",
    "Scenario",
    "load_scenario",
    "scenario_template",
]


class Scenario(Strict):
    """Everything that can be pinned or overridden."""

    as_of: date | None = None
    """Date whose prices and facts are used; today when absent."""
    seed: int = Field(default=0, ge=0)
    """Seed of the draws: the same seed, log and catalogue give the same report to the last digit."""
    draws_log2: int = Field(default=14, ge=6, le=20)
    """Number of draws as a power of two: 14 is 16,384."""
    volume_mtok_per_month: Annotated[Number, Field(gt=0, le=LARGEST_NUMBER * 1e3)] | None = None
    """Millions of tokens a month, at the log's own mix and lengths, for compare, decide, whatif and models; what the
    log shows when absent."""
    api_price_ratio: Annotated[Number, Field(gt=0, le=1e3)] = 1.0
    """Price of today's models as a multiple of what it is; all other prices stay."""
    frontier_model: str = "openai/gpt-5"
    """provider/model assumed for calls whose log names no model."""
    open_model: str = "gpt-oss-120b"
    """Open model that a broker or your own GPUs would serve; see docs/reference/facts.md for the names."""
    broker_offer: str | None = None
    """Token offer of the broker, for that open model; the cheapest for your own mix of tokens when absent."""
    tier_model: str | None = None
    """provider/model that all calls would move to as a cheaper tier; each model's own next one when absent."""
    deepseek_offer: str | None = None
    """Token offer of DeepSeek's own API; deepseek-chat while it is sold, then its successor, when absent."""
    gpu: str = "H100-SXM-80"
    """GPU to rent."""
    precision: Literal["bf16", "fp8", "fp4"] | None = None
    """bf16, fp8 or fp4; the smallest in which the model is shipped when absent."""
    gpus_per_replica_count: int | None = Field(default=None, ge=1, le=64)
    """GPUs of one replica; the fewest that hold the model when absent."""
    small_model: str = "Qwen3-8B"
    """Open model that one small GPU would serve."""
    small_gpu: str = "L4"
    """Small GPU to rent for it."""
    region: Literal["us", "de", "uk", "ie", "eu"] = "us"
    """Whose wages and power prices are taken: us, de, uk, ie or eu. What you override wins."""
    grid_zone: str | None = None
    """Where machines draw their power: a country (DEU) or a cloud region (gcp:europe-west1); a range over grids when
    absent. `breakeven catalog list --kind carbon` prints the names."""
    team: Literal["existing", "new_hires"] = "existing"
    """existing: people who are there do the work; new_hires: whole people are hired for it."""
    commodity_tasks: tuple[Annotated[str, Field(pattern=r"[^\W_]")], ...] = COMMODITY_TASKS
    """Tasks that a hybrid moves where the log names its tasks: words of their names, in any case."""
    options: OptionNames = ()
    """Options to compare; all of them when empty. frontier_api, the status quo, is always in. Short names and groups
    are taken too: api, managed, rented, spot, owned, self_host."""
    overrides: dict[str, Number | RangeOverride] = Field(default_factory=dict)
    """Facts by name, as one number or as a range; `breakeven explain` prints the names."""
    correlations: tuple[CorrelationEntry, ...] = ()
    """Facts that move together; all others are drawn independently of one another."""
    contract_prices: tuple[ContractPriceEntry, ...] = ()
    """Prices you agreed on."""
    model_aliases: dict[str, Annotated[str, Field(pattern=r"^[^/]+/.+$")]] = Field(default_factory=dict)
    """What models of your log are that only you can tell, such as deployments: the provider/model that is priced."""
    require: RequireEntry = RequireEntry()
    """Hard constraints on whoever processes the data: an option whose provider does not meet them is left out."""
    data_may_not_leave: Literal["eu", "own_vpc"] | None = None
    """eu: whoever is paid by the token processes in the European Union only. own_vpc: nothing but machines you rent or
    own, and providers that run inside your account (in_own_vpc under providers). What does not meet it is left out."""
    answers: AnswersEntry = AnswersEntry()
    """What only you can say of the five questions; unknown when absent."""
    providers: dict[str, ProviderEntry] = Field(default_factory=dict)
    """What you know of a provider that the catalogue does not, or not any more."""
    measured: tuple[str, ...] = ()
    """Files that `breakeven calibrate` wrote, relative to this one: what you measured on deployments of your own."""

    audit: str | None = None
    """File that `breakeven audit` wrote, relative to this one: its tasks and what a small model can do of each take the
    place of an assumed share in the hybrid. The audit kept in a store is used by itself when absent."""

    failure_usd_per_request: dict[str, Annotated[Number, Field(ge=0, le=LARGEST_USD)]] = Field(default_factory=dict)
    """What a failed answer breaks, by task of your log (words of its name), beside the hands that correct some; `other`
    for all other calls. Nothing when absent, so that success rates only divide the cost. One number or range for all
    calls goes under overrides."""
    outcomes: str | None = None
    """File of outcomes (request, task, model, success), relative to this one: the success rates that it measured, of
    your log's models and of open ones, take the place of what is assumed. What you override wins over it."""

    _measured: tuple[MeasuredFile, ...] = PrivateAttr(default=())
    _audit: AuditFile | None = PrivateAttr(default=None)
    _outcomes: OutcomesFile | None = PrivateAttr(default=None)
    _places: Places = PrivateAttr(default_factory=Places)
    """File and line by dotted key; empty when no file was read."""

    def __eq__(self, other: object) -> bool:
        """Scenarios that say the same are equal, whichever file they were read from."""
        return isinstance(other, Scenario) and self.__dict__ == other.__dict__

    def choices(self) -> Choices:
        """What Options ask for."""
        return Choices(
            self.frontier_model,
            self.open_model,
            self.broker_offer,
            self.gpu,
            self.precision,
            self.gpus_per_replica_count,
            self.tier_model,
            self.deepseek_offer,
            self.small_model,
            self.small_gpu,
            self.region,
            self.team,
            self.contract(),
            Requirements(
                **self.require.model_dump(), data_may_not_leave=self.data_may_not_leave, place=self._constraints_place()
            ),
            {name: ProviderTerms(**each.model_dump()) for name, each in self.providers.items()},
            self.commodity_tasks,
            tuple(correction for each in self.measured_files() for correction in each.corrections),
            audit.work if (audit := self.audit_file()) else None,
            "commodity_tasks" in self.model_fields_set,
            outcomes.success if (outcomes := self.outcomes_file()) else None,
            self.failure_usd_per_request,
        )

    def audit_file(self) -> AuditFile | None:
        """What the file under `audit` says; None when there is none."""
        if self.audit is not None and self._audit is None:
            self._audit = read_audit(self.audit, Path(), self._at("audit"))
        return self._audit

    def outcomes_file(self) -> OutcomesFile | None:
        """What the file under `outcomes` says; None when there is none."""
        if self.outcomes is not None and self._outcomes is None:
            self._outcomes = read_outcomes_file(self.outcomes, Path(), self.model_aliases, self._at("outcomes"))
        return self._outcomes

    def with_outcomes(self, path: Path) -> Scenario:
        """The same scenario with another file of outcomes, which stands in no file of the scenario's."""
        found = self.model_copy(update={"outcomes": str(path)})
        found._outcomes = read_outcomes_file(str(path), Path(), self.model_aliases)
        return found

    def with_audit(self, path: Path, called: str) -> Scenario:
        """The same scenario with an audit of its calls, when it names none itself; readers know it as `called`."""
        if self.audit is not None:
            return self
        found = self.model_copy(update={"audit": str(path)})
        found._audit = replace(read_audit(str(path), Path()), name=called)
        return found

    def with_files_of(self, other: Scenario) -> Scenario:
        """The same scenario with the files that `other` has read, where both name the same: paths in a scenario are
        relative to its own file, which a scenario that was made of another no longer knows."""
        found = self.model_copy(update={"measured": other.measured})
        found._measured = other.measured_files()
        if self.audit == other.audit:
            found._audit = other.audit_file()
        if self.outcomes == other.outcomes and self.model_aliases == other.model_aliases:
            found._outcomes = other.outcomes_file()
        return found

    def measured_files(self) -> tuple[MeasuredFile, ...]:
        """What the files under `measured` say; those of a scenario that no file holds are looked up from here."""
        if len(self._measured) != len(self.measured):
            self._measured = read_measured(self.measured, Path(), self._places)
        return self._measured

    def contract(self) -> tuple[ContractPrice, ...]:
        """The agreed prices, for the price table."""
        return tuple(ContractPrice(**each.model_dump()) for each in self.contract_prices)

    def aliases(self) -> tuple[ModelAlias, ...]:
        """What the log's own names of models mean, for the catalogue."""
        return tuple(ModelAlias(name, means) for name, means in self.model_aliases.items())

    def facts(self, catalog: Catalog) -> dict[str, Assumption]:
        """The region's facts under the overrides; refuses a name that no Option would read, and an impossible value."""
        known = {**catalog.assumptions}
        for offer in catalog.gpu_offers.values():
            known.update(offer.facts)
        names = [*known, *BOUND_BY_OPTIONS, *ONLY_FROM_A_SCENARIO]
        found = regional_facts(catalog, self.region)
        self._check_names(catalog)
        if self.grid_zone:
            try:
                grid = catalog.grid_carbon_g_per_kwh(self.grid_zone)
            except UnknownName as error:
                raise UnknownName(f"{self._at('grid_zone')}{error}") from None
            found[grid.name] = grid
        for name, value in self.overrides.items():
            unit = unit_of(name)
            if name not in names or unit is None:
                place = self._at(f"overrides.{name}")
                raise ScenarioError(f"{place}overrides: no fact is named '{name}'; {nearest(name, names)}")
            like = known.get(name)
            found[name] = _override(name, unit, value, catalog.as_of, like.dimension if like else None)
        return found

    def copula(self, catalog: Catalog) -> Copula | None:
        """Which draws move together, for a `DrawSet`; refuses a name that has none."""
        return copula_of_scenario(
            self.correlations, catalog, self.facts(catalog), lambda index: self._at(f"correlations.{index}")
        )

    def _check_names(self, catalog: Catalog) -> None:
        """Refuse a GPU, a model or an offer that the catalogue does not know, here where its line is known."""
        known: Mapping[str, tuple[str, Mapping[str, object]]] = {
            "gpu": ("GPU", catalog.gpus),
            "small_gpu": ("GPU", catalog.gpus),
            "open_model": ("model", catalog.models),
            "small_model": ("model", catalog.models),
            "broker_offer": ("token offer", catalog.token_offers),
        }
        for key, (kind, things) in known.items():
            name = getattr(self, key)
            if key in self._places and name is not None and name not in things:
                hint = nearest(name, list(things))
                raise UnknownName(f"{self._at(key)}no {kind} named '{name}' in the catalogue; {hint}")

    @property
    def places(self) -> Mapping[str, str]:
        """File and line of every key of the scenario's file; empty when no file was read."""
        return self._places

    def place(self, dotted: str) -> str:
        """File and line of a key, e.g. ``answers.accuracy``; empty when no file says it."""
        return self._places.get(dotted, "")

    def _constraints_place(self) -> str:
        """File and line of what excludes options; empty when no file says it."""
        return ", ".join(self._places[key] for key in ("require", "data_may_not_leave") if key in self._places)

    def _at(self, dotted: str) -> str:
        return f"{self._places[dotted]}: " if dotted in self._places else ""

    def digest(self) -> str:
        """SHA-256 of the scenario's canonical JSON, with the content of named files in the place of their names."""
        content = self.model_dump(mode="json", exclude={"measured", "audit", "outcomes"})
        for key in _NEWER_KEYS:  # what is not said leaves the digest as it was before there was such a key
            if content[key] == Scenario.model_fields[key].default:
                del content[key]
        if audit := self.audit_file():
            content["audit"] = audit.digest
        if outcomes := self.outcomes_file():
            content["outcomes"] = outcomes.digest
        if self.measured:
            content["measured"] = sorted(each.digest for each in self.measured_files())
        canonical = json.dumps(content, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


_NEWER_KEYS = ("volume_mtok_per_month", "api_price_ratio")


def load_scenario(path: Path | None, sets: Mapping[str, str] | None = None, text: str | None = None) -> Scenario:
    """Read a scenario file (or the defaults) and apply ``--set name=value`` pairs to its overrides.

    With `text`, that is read as if it stood in the file. Raises ScenarioError naming file, line, what was seen and
    the nearest right key.
    """
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    where = "scenario"
    if path is not None:
        where = str(path)
        content, lines = read_yaml(path) if text is None else parse_yaml(text, path)
    if sets:
        content = {**content, "overrides": {**(content.get("overrides") or {}), **_numbers(sets)}}
    try:
        scenario = Scenario.model_validate({key: value for key, value in content.items() if value is not None})
    except ValidationError as error:
        raise ScenarioError("\n".join(_explain(each, where, lines) for each in error.errors())) from None
    _check_overrides(scenario, where, lines)
    _check_contract(scenario, where, lines)
    check_correlations(scenario.correlations, lambda index: f"{place_of(where, lines, f'correlations.{index}')}: ")
    scenario._places = Places({dotted: place_of(where, lines, dotted) for dotted in lines})
    folder = path.parent if path else Path()
    if scenario.audit is not None:
        scenario._audit = read_audit(scenario.audit, folder, scenario._at("audit"))
    if scenario.outcomes is not None:
        at = scenario._at("outcomes")
        scenario._outcomes = read_outcomes_file(scenario.outcomes, folder, scenario.model_aliases, at)
    scenario._measured = read_measured(scenario.measured, folder, scenario._places)
    return scenario


def _check_overrides(scenario: Scenario, where: str, lines: Mapping[str, int]) -> None:
    """Refuse impossible values here, where their line is known."""
    for name, value in scenario.overrides.items():
        unit = unit_of(name)
        if unit is None:
            continue
        low, high = (value.low, value.high) if isinstance(value, RangeOverride) else (value, value)
        try:
            check_bounds(name, unit, low, high)
        except ScenarioError as error:
            raise ScenarioError(f"{place_of(where, lines, f'overrides.{name}')}: {error}") from None


def _check_contract(scenario: Scenario, where: str, lines: Mapping[str, int]) -> None:
    """Say where each contract line stands, and refuse two that hold at the same time."""
    entries = scenario.contract_prices
    for index, (entry, price) in enumerate(zip(entries, _contract_of(entries, where, lines), strict=True)):
        entry._place = place_of(where, lines, f"contract_prices.{index}")
        for other, earlier in zip(entries[:index], _contract_of(entries[:index], where, lines), strict=True):
            same = price.model.lower() == earlier.model.lower() and entry.provider.lower() == other.provider.lower()
            together = price.interval[0] < earlier.interval[1] and earlier.interval[0] < price.interval[1]
            if same and together and price.is_batch == earlier.is_batch:
                raise ScenarioError(
                    f"{entry._place}: a second price of {entry.provider}/{entry.model} for the same time as "
                    f"{other._place}; end the older one with `until`, or delete one"
                )


def _contract_of(entries: Sequence[ContractPriceEntry], where: str, lines: Mapping[str, int]) -> list[ContractPrice]:
    found = []
    for index, entry in enumerate(entries):
        try:
            found.append(ContractPrice(**entry.model_dump()))
        except ScenarioError as error:
            raise ScenarioError(f"{place_of(where, lines, f'contract_prices.{index}')}: {error}") from None
    return found


def scenario_template() -> str:
    """A commented scenario file in which every key stands at its default."""
    lines = [
        "# breakeven scenario: everything the comparison takes as given. Delete what you do not change.",
        "# Facts, their ranges and their sources: docs/reference/facts.md",
        "",
    ]
    for name, field in Scenario.model_fields.items():
        lines += [f"# {line}" for line in (field.description or "").splitlines()]
        if name in EXAMPLES:
            lines += [f"{name}: {EMPTY[name]}", *(f"#  {line}" for line in EXAMPLES[name])]
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


def _explain(error: Any, where: str, lines: Mapping[str, int]) -> str:
    path = [str(each) for each in error["loc"]]
    while path and ".".join(path) not in lines and len(path) > 1:
        path.pop()  # pydantic appends the union member it tried
    dotted = ".".join(path)
    place = place_of(where, lines, dotted)
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        inside: dict[str, type[BaseModel]] = {
            "overrides": RangeOverride,
            "contract_prices": ContractPriceEntry,
            "correlations": CorrelationEntry,
            "require": RequireEntry,
            "answers": AnswersEntry,
            "providers": ProviderEntry,
        }
        model = Scenario if len(error["loc"]) == 1 else inside.get(str(error["loc"][0]), Scenario)
        known = list(model.model_fields)
        return f"{place}: unknown key '{key}'; {nearest(key, known)}"
    if error["type"] == "missing":
        return f"{place}: {'.'.join(str(each) for each in error['loc'])}: {error['msg']}"
    if error["type"] == "value_error":  # a rule of ours, which names what it saw
        return f"{place}: {dotted}: {error['ctx']['error']}"
    return f"{place}: {dotted}: {error['msg']} (saw {error.get('input')!r})"
