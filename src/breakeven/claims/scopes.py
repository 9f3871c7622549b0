"""Scopes: the facts of a claim and of each of its parts, checked, in dollars, ready to be worked with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.claims.arithmetic import Definition, read_definition
from breakeven.claims.bounds import problem
from breakeven.claims.dimensions import currency_of, factor, in_usd, split_period, stem_of, unit_of_name
from breakeven.claims.file import ClaimFile, RangeEntry
from breakeven.claims.registry import Registry, registry, same_kind
from breakeven.claims.resolver import BY_DEFINITION, Plan, Resolver
from breakeven.errors import ClaimError, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Node
from breakeven.serving.gpu_mix import cheapest_mix, gpus_kept_busy

MIX_FACTS: Final = ("split_mix_usd_per_hour", "single_gpu_type_usd_per_hour")
"""What a `gpu_mix` gives beside the fleet: the rent if requests may be split, and that of the best single type."""
ALSO_READ: Final = frozenset({"days_per_month", "hours_per_month", "hours", "requests", *MIX_FACTS})
_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Scope:
    """Facts of the whole claim (name empty) or of one part, its own ones over the common ones."""

    name: str
    given: Mapping[str, Assumption]
    unpriced: frozenset[str]
    own: frozenset[str]
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class Scopes:
    """All scopes of a claim, and what they share."""

    whole: Scope
    parts: tuple[Scope, ...]
    definitions: Mapping[str, Definition]
    usd_per: Mapping[str, float]
    """Rates of the other currencies that the claim uses."""

    def resolvers(
        self, draw: Callable[[Assumption], Draws], beside: Mapping[str, Node] | None = None
    ) -> dict[str, Resolver]:
        """A Resolver for each scope, by its name; `beside`: lines to count in addition, by scope."""
        beside = beside or {}
        parts = {each.name: self._resolver(each, draw, (), beside.get(each.name)) for each in self.parts}
        return {"": self._resolver(self.whole, draw, tuple(parts.values()), beside.get("")), **parts}

    @property
    def has_ranges(self) -> bool:
        """Whether any fact is a range."""
        return any(not fact.is_certain for scope in (self.whole, *self.parts) for fact in scope.given.values())

    def in_currency(self, name: str, usd: float) -> float:
        """A dollar figure in the currency that its name says."""
        code = currency_of(name)
        return usd / self.usd_per[code] if code else usd

    def _resolver(
        self, scope: Scope, draw: Callable[[Assumption], Draws], parts: tuple[Resolver, ...], beside: Node | None
    ) -> Resolver:
        return Resolver(scope.given, draw, scope.unpriced, self.definitions, scope.own, parts, beside, scope.plan)


def scopes_of(file: ClaimFile, catalog: Catalog) -> Scopes:
    """The scopes of a claim; raises ClaimError, with file and line, for a name or a value that cannot be."""
    reader = _Reader(file, catalog, registry())
    definitions = dict(reader.definitions())
    reader.check_names(definitions)
    reader.check_figures(definitions)
    rates = dict(reader.rates())
    common = dict(reader.facts("", file.entry.given, rates))
    whole = reader.scope("", common, {})
    of_parts = {name: dict(reader.facts(name, facts, rates)) for name, facts in file.entry.parts.items()}
    mixed = reader.mixed()
    if mixed is not None:
        whole = Scope(whole.name, {**whole.given, **mixed.whole}, whole.unpriced, whole.own)
        of_parts |= mixed.parts
    parts = [reader.scope(name, common, facts) for name, facts in of_parts.items()]
    return Scopes(whole, tuple(parts), definitions, rates)


@dataclass(slots=True)
class _Reader:
    """Turns entries of a file into facts."""

    file: ClaimFile
    catalog: Catalog
    registry: Registry

    def definitions(self) -> Iterator[tuple[str, Definition]]:
        for name, text in self.file.entry.define.items():
            if unit_of_name(name) is None:
                raise ClaimError(f"{self.file.where('define', name)}: ends in no unit, e.g. {name}_usd_per_month")
            yield in_usd(name), read_definition(name, str(text), self.file.where("define", name))

    def check_names(self, definitions: Mapping[str, Definition]) -> None:
        """Refuse a fact that nothing could ever read: it is a slip of the pen."""
        read = {name for each in definitions.values() for name in each.names()}
        known = {*self.registry.input_names(), *self.registry.names(), *read, *ALSO_READ}
        places: list[tuple[tuple[str, ...], str]] = [(("given", name), name) for name in self.file.entry.given]
        places += [(("parts", part, name), name) for part, facts in self.file.entry.parts.items() for name in facts]
        for path, name in places:
            if unit_of_name(name) is None:
                hint = nearest(name, sorted(known))
                raise ClaimError(f"{self.file.where(*path)}: a name ends in its unit, and this one does not; {hint}")
            if not self._is_read(in_usd(name), known):
                hint = nearest(in_usd(name), sorted(known))
                raise ClaimError(f"{self.file.where(*path)}: no quantity and no definition reads this; {hint}")

    def _is_read(self, name: str, known: set[str]) -> bool:
        base, _ = split_period(name)
        if name in known or base in known or name.startswith("usd_per_") or name in BY_DEFINITION:
            return True
        return any(same_kind(each, name) for each in known)

    def check_figures(self, definitions: Mapping[str, Definition]) -> None:
        """Refuse a published figure, a part or a line that breakeven does not know."""
        from breakeven.claims.lines import LINES

        entry = self.file.entry
        if entry.gpu is not None and entry.gpu not in self.catalog.gpus:
            hint = nearest(entry.gpu, list(self.catalog.gpus))
            raise ClaimError(f"{self.file.where('gpu')}: the catalogue has no GPU '{entry.gpu}'; {hint}")
        part_names = [*entry.parts, *(entry.gpu_mix.gpus if entry.gpu_mix else ())]
        for section, figures in (("published", entry.published), ("recomputed", entry.recomputed)):
            for full in figures:
                part, _, name = full.rpartition(".")
                if part and part not in part_names:
                    raise ClaimError(f"{self.file.where(section, full)}: no part '{part}'; {nearest(part, part_names)}")
                self._check_figure(section, full, in_usd(name), definitions)
        for full in entry.published_as:
            if full not in entry.published:
                raise ClaimError(
                    f"{self.file.where('published_as', full)}: not published; {nearest(full, list(entry.published))}"
                )
        for index, line in enumerate(entry.includes):
            names = [each.name for each in LINES]
            if line not in names:
                raise ClaimError(f"{self.file.where('includes', index)}: no cost line '{line}'; {nearest(line, names)}")

    def _check_figure(self, section: str, full: str, name: str, definitions: Mapping[str, Definition]) -> None:
        if name in definitions or self.registry.knows(name) or name in MIX_FACTS:
            return
        given = {in_usd(each) for facts in (self.file.entry.given, *self.file.entry.parts.values()) for each in facts}
        if name in given:
            return
        hint = nearest(name, [*self.registry.names(), *definitions])
        raise ClaimError(
            f"{self.file.where(section, full)}: breakeven knows no such quantity; {hint}"
            f" `breakeven check --quantities` lists all of them, and `define` adds one of your own."
        )

    def rates(self) -> Iterator[tuple[str, float]]:
        """Rates of the currencies in use: the claim's own, else the catalogue's."""
        entry = self.file.entry
        places: list[tuple[str, ...]] = [("given", name) for name in entry.given]
        places += [("parts", part, name) for part, facts in entry.parts.items() for name in facts]
        places += [("define", name) for name in entry.define]
        places += [(section, full) for section in ("published", "recomputed") for full in getattr(entry, section)]
        for path in places:
            code = currency_of(path[-1].rpartition(".")[2])
            if not code:
                continue
            stated = entry.given.get(f"usd_per_{code}")
            if isinstance(stated, float | int):
                yield code, float(stated)
            elif code in self.catalog.fx:
                yield code, self.catalog.fx[code].typical
            else:
                raise ClaimError(
                    f"{self.file.where(*path)}: no exchange rate for {code.upper()} in the catalogue; "
                    f"give usd_per_{code} under `given`"
                )

    def facts(
        self, part: str, entries: Mapping[str, object], rates: Mapping[str, float]
    ) -> Iterator[tuple[str, Assumption | None]]:
        """Facts in dollars; None for an unknown price."""
        seen: dict[str, str] = {}
        for name, value in entries.items():
            path = ("parts", part, name) if part else ("given", name)
            if in_usd(name) in seen:
                raise ClaimError(f"{self.file.where(*path)}: contradicts {seen[in_usd(name)]}; keep one of them")
            seen[in_usd(name)] = name
            yield in_usd(name), self._fact(name, value, path, rates)

    def _fact(self, name: str, value: object, path: tuple[str, ...], rates: Mapping[str, float]) -> Assumption | None:
        if value == "unpriced":
            return None
        if isinstance(value, RangeEntry):
            low, typical, high = value.low, value.typical, value.high
        else:
            assert isinstance(value, float | int)
            low = typical = high = float(value)
        wrong = problem(name if not currency_of(name) else in_usd(name), low, high)
        if wrong:
            raise ClaimError(f"{self.file.where(*path)}: {wrong}")
        rate = rates.get(currency_of(name), 1.0)
        unit = unit_of_name(in_usd(name))
        assert unit is not None
        return Assumption(in_usd(name), unit, low * rate, typical * rate, high * rate, self._source())

    def _source(self) -> Source:
        entry = self.file.entry.source
        return Source(entry.title, entry.link, entry.read or self.catalog.checked, entry.grade)

    def scope(self, part: str, common: Mapping[str, Assumption | None], own: Mapping[str, Assumption | None]) -> Scope:
        """The facts of one scope; refuses two that say the same thing differently."""
        facts = {**{name: fact for name, fact in common.items() if not _replaced(name, own)}, **own}
        given = {name: fact for name, fact in facts.items() if fact is not None}
        for one in given:
            for two in given:
                if one < two and _contradict(given[one], given[two]):
                    path = ("parts", part) if part else ("given",)
                    low, high = given[one].typical, given[two].typical
                    raise ClaimError(
                        f"{self.file.where(*path)}: {one} ({low:g}) and {two} ({high:g}) contradict each other"
                    )
        self._check_cached_convention(part, given)
        return Scope(part, given, frozenset(facts) - frozenset(given), frozenset(own))

    def _check_cached_convention(self, part: str, given: Mapping[str, Assumption]) -> None:
        """`input_tokens` with cached ones beside them may mean two things that differ by 11x."""
        bases = {split_period(name)[0]: name for name in given}
        if "input_tokens" in bases and ("cache_read_tokens" in bases or "cache_write_tokens" in bases):
            name = bases["input_tokens"]
            path = ("parts", part, name) if part and name in self.file.entry.parts[part] else ("given", name)
            raise ClaimError(
                f"{self.file.where(*path)}: with cached tokens beside it, say prompt_tokens (they include the cached "
                f"ones: OpenAI) or uncached_input_tokens (they do not: Anthropic)"
            )

    def mixed(self) -> _Mixed | None:
        """A GPU mix, worked out."""
        mix = self.file.entry.gpu_mix
        if mix is None:
            return None
        prices = [gpu.usd_per_hour for gpu in mix.gpus.values()]
        shares = [share for row in mix.workload for share in row]
        speeds = [[speed for row in gpu.req_per_s for speed in row] for gpu in mix.gpus.values()]
        busy = gpus_kept_busy(mix.req_per_s, shares, speeds)
        whole = cheapest_mix(prices, busy, slices_count=mix.slice_factor)
        split = cheapest_mix(prices, busy, split=True)
        alone = float(np.min(np.ceil(busy.sum(axis=0).round(9)) * np.asarray(prices)))
        of_whole = dict(zip(MIX_FACTS, (split.usd_per_hour, alone), strict=True))
        parts = {
            name: {"gpus_count": float(count), "gpu_rent_usd_per_gpu_hour": gpu.usd_per_hour}
            for (name, gpu), count in zip(mix.gpus.items(), whole.gpu_counts, strict=True)
        }
        return _Mixed(self._exact(of_whole), {name: {**self._exact(facts)} for name, facts in parts.items()})

    def _exact(self, values: Mapping[str, float]) -> dict[str, Assumption]:
        title, link = "cheapest mix of GPUs, worked out", "breakeven.serving.gpu_mix"
        source = Source(title, link, self._source().read, Grade.OFFICIAL)
        return {
            name: Assumption(name, unit_of_name(name) or "", value, value, value, source)
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class _Mixed:
    """A GPU mix as facts: of the whole claim, and of each type."""

    whole: dict[str, Assumption]
    parts: dict[str, dict[str, Assumption | None]]


def _replaced(name: str, own: Mapping[str, Assumption | None]) -> bool:
    """Whether a part gives the fact itself, in whatever unit."""
    stem = stem_of(name)
    unit = unit_of_name(name) or ""
    return name in own or any(
        stem is not None and stem_of(each) == stem and factor(unit_of_name(each) or "", unit) for each in own
    )


def _contradict(one: Assumption, two: Assumption) -> bool:
    stem = stem_of(one.name)
    if stem is None or stem_of(two.name) != stem:
        return False
    times = factor(one.unit, two.unit)
    return times is not None and abs(one.typical * times - two.typical) > _SAME * max(abs(two.typical), 1e-300)
