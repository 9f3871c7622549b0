"""Explain parts: the numbers of a document without a trace of their own: of the months, of doubt, of the questions.

A path names one: ``horizon.rented_on_demand.present_cost_usd``, ``risk.engineering_fte_count.evppi_usd``,
``answers.volume_bands.3`` (the third). What it is comes from the part's field, how it was made from `explain_methods`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from breakeven.errors import DocumentError, UnknownName, nearest
from breakeven.reports.document import AssumptionPart, Document
from breakeven.reports.explain_methods import Method, method_of
from breakeven.reports.option_part import Amount, Part
from breakeven.units import unit_of

PARTS: Final = ("horizon", "risk", "answers")
KEYS: Final = ("option", "key", "name", "metric", "label")
"""Fields by which a part of several is named in a path."""
IN_ORDER: Final = ("volume_bands", "waiting", "exceedance")
"""Fields whose parts are told apart by their place."""
OF_THE_WHOLE: Final = ("horizon.", "risk.")
"""Parts whose numbers depend on all facts alike."""
FACTS_MAX_COUNT: Final = 12
"""Facts shown beside those of the months."""
OF_THE_MONTHS: Final = (
    "cost_of_capital_fraction_per_year",
    "horizon_months",
    "migration_ramp_months",
    "gpu_rent_volatility_ratio",
    "gpu_rent_shock_1_ratio",
    "gpu_rent_shock_2_ratio",
    "gpu_rent_shock_3_ratio",
)
"""Facts that every number of the months depends on, beside those that its paths name."""
RENT: Final = "gpu_rent"


@dataclass(frozen=True, slots=True)
class Explained:
    """One number, or a few that belong together, and what is behind them."""

    path: str
    value: Any
    """Amount, Part, number, text, or a tuple of them."""
    unit: str
    meaning: str
    """What the field says of itself."""
    about: str
    """What the part says of itself that it belongs to."""
    method: Method
    option: str | None
    """The option that it belongs to."""
    facts: tuple[AssumptionPart, ...]
    """Facts behind it, those that move the answer first."""
    facts_count: int
    """All of them."""
    traces: tuple[str, ...]
    """Lines that `explain` prints as trees, behind the same number."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path led."""

    value: Any
    owner: Part
    field: str
    option: str | None
    fact: str | None


def is_part_path(document: Document, name: str) -> bool:
    """True when `name` begins with one of the parts, and no option has that name."""
    first = name.partition(".")[0]
    return first in PARTS and all(each.name != first for each in document.options)


def explain_path(document: Document, path: str) -> Explained:
    """What `path` names; raises UnknownName with the nearest path, DocumentError when the document lacks the part."""
    first, *rest = path.split(".")
    part: Part | None = getattr(document, first)
    if part is None:
        raise DocumentError(
            f"this document has no {first} (schema {document.schema_version}); run `breakeven compare` again for it"
        )
    places = list(_walk(_Place(part, document, first, None, None), rest))
    if not places:
        raise UnknownName(f"nothing named '{path}' in this report; {nearest(path, list(part_paths(document)))}")
    return _explained(document, path, places[0])


def part_paths(document: Document) -> Iterator[str]:
    """Every path to an amount or a number of the parts, in the document's order."""
    for first in PARTS:
        part = getattr(document, first)
        if part is not None:
            yield from _paths(first, part)


def _paths(prefix: str, part: Part) -> Iterator[str]:
    for field in type(part).model_fields:
        value = getattr(part, field)
        if isinstance(value, Amount) or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield f"{prefix}.{field}"
        elif isinstance(value, Part):
            yield from _paths(f"{prefix}.{field}", value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Part):
            named = len({_key(each) for each in value}) == len(value)
            for index, each in enumerate(value, 1):
                yield from _paths(f"{prefix}.{_step(prefix, field, each, index, named)}", each)
        elif isinstance(value, tuple) and value and isinstance(value[0], int | float):
            yield f"{prefix}.{field}"


def _step(prefix: str, field: str, part: Part, index: int, named: bool) -> str:
    """How a path steps into one of several: by its name where that is enough, else by field and place."""
    key = _key(part)
    if field in IN_ORDER or not named or not key or "." in key:
        return f"{field}.{index}"
    alone = prefix in ("horizon", "answers.five_questions") and field in ("options", "questions")
    alone = alone or (prefix == "risk" and field == "information")
    return key if alone else f"{field}.{key}"


def _walk(place: _Place, steps: Sequence[str]) -> Iterator[_Place]:
    """Every place that `steps` lead to from `place`, nearest first."""
    if not steps:
        yield place
        return
    step, rest = steps[0], steps[1:]
    value = place.value
    if isinstance(value, tuple):
        for index, each in enumerate(value, 1):
            if step == str(index) or (isinstance(each, Part) and _key(each) == step):
                yield from _walk(_into(place, each, place.field), rest)
    elif isinstance(value, Part):
        if step in type(value).model_fields:
            yield from _walk(_Place(getattr(value, step), value, step, place.option, place.fact), rest)
            return
        for field in type(value).model_fields:
            below = getattr(value, field)
            if isinstance(below, tuple) and below and isinstance(below[0], Part):
                for each in below:
                    if _key(each) == step:
                        yield from _walk(
                            _into(_Place(below, value, field, place.option, place.fact), each, field), rest
                        )


def _into(place: _Place, item: Any, field: str) -> _Place:
    """One of several; a part that names an option or a fact hands that on."""
    if not isinstance(item, Part):
        return _Place(item, place.owner, field, place.option, place.fact)
    option = getattr(item, "option", place.option)
    fact = getattr(item, "name", place.fact)
    return _Place(item, item, "", option, fact)


def _key(part: Part) -> str | None:
    return next((str(getattr(part, each)) for each in KEYS if each in type(part).model_fields), None)


def _explained(document: Document, path: str, place: _Place) -> Explained:
    owner = type(place.value) if isinstance(place.value, Part) and not isinstance(place.value, Amount) else None
    fields = type(place.owner).model_fields
    meaning = (fields[place.field].description or "") if place.field in fields and owner is None else ""
    part = owner or type(place.owner)
    facts = _facts(document, place, path)
    first_count = len(_months_facts(document)) if _is_over_months(place, path) else 0
    return Explained(
        path=path,
        value=place.value,
        unit=_unit(place),
        meaning=" ".join(meaning.split()),
        about=" ".join((part.__doc__ or "").split()),
        method=method_of(part.__name__, "" if owner else place.field),
        option=place.option,
        facts=facts[: first_count + FACTS_MAX_COUNT],
        facts_count=len(facts),
        traces=_traces(document, place),
    )


def _unit(place: _Place) -> str:
    if isinstance(place.value, Amount):
        return place.value.unit
    if place.field in ("low", "typical", "high"):
        return str(getattr(place.owner, "unit", ""))
    return unit_of(place.field) or ""


def _facts(document: Document, place: _Place, path: str) -> tuple[AssumptionPart, ...]:
    """The fact itself, or the facts that its option reads; of the whole, those that move the answer. Largest first.

    Before them stand the facts of the months, behind a number of the months.
    """
    named = tuple(each for each in document.assumptions if each.name == place.fact)
    if named:
        return named
    if place.fact and path.startswith("horizon."):
        return _path_facts(document, place.fact)
    rank = {each.name: index for index, each in enumerate(document.levers)}
    read = [each for each in document.assumptions if place.option in each.used_by]
    if place.option is None and path.startswith(OF_THE_WHOLE):
        read = [each for each in document.assumptions if each.name in rank]
    found = sorted(read, key=lambda each: (rank.get(each.name, len(rank)), each.low == each.high, each.name))
    first = _months_facts(document) if _is_over_months(place, path) else ()
    return (*first, *(each for each in found if each not in first))


def _is_over_months(place: _Place, path: str) -> bool:
    """Whether a number is of all the months; break-even odds of an option are of one, at today's prices."""
    return path.startswith("horizon.") or (path.startswith("risk.") and place.option is None)


def _months_facts(document: Document) -> tuple[AssumptionPart, ...]:
    """What drives the months: the facts of every path, then what a month weighs and how a move goes."""
    paths = document.horizon.paths if document.horizon else ()
    found = [fact for path in paths for fact in _path_facts(document, path.name)]
    found += [each for each in document.assumptions if each.name in OF_THE_MONTHS]
    return tuple(each for index, each in enumerate(found) if each not in found[:index])


def _path_facts(document: Document, name: str) -> tuple[AssumptionPart, ...]:
    """The facts that one path stands on, in its own order; chance around GPU rent is told in facts too."""
    paths = document.horizon.paths if document.horizon else ()
    told = [
        part.partition(" ")[0] for each in paths if each.name == name for part in each.basis.split("; ") if part.strip()
    ]
    if name == RENT:
        told += [each for each in OF_THE_MONTHS if each.startswith(RENT)]
    return tuple(fact for each in dict.fromkeys(told) for fact in document.assumptions if fact.name == each)


def _traces(document: Document, place: _Place) -> tuple[str, ...]:
    if place.option and any(each.name == place.option for each in document.options):
        return (f"{place.option}.total_usd_per_month", f"{place.option}.cost_usd_per_success")
    if place.fact and any(each.name == place.fact for each in document.trace.values()):
        return (place.fact,)
    return ()


def explained_json(found: Explained) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "path": found.path,
        "value": _plain(found.value),
        "unit": found.unit,
        "meaning": found.meaning,
        "about": found.about,
        "method": {"words": found.method.words, "page": found.method.page},
        "option": found.option,
        "facts": [each.model_dump(mode="json") for each in found.facts],
        "facts_count": found.facts_count,
        "traces": list(found.traces),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.model_dump(mode="json")
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
