"""File: a claim as somebody writes it down in YAML, and what they are told when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from breakeven import strict_yaml
from breakeven.errors import CatalogError, ClaimError, nearest
from breakeven.facts.source import Grade


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"saw {str(value).lower()}; wanted a number")
    return value


Number = Annotated[float, BeforeValidator(_no_truth), Field(allow_inf_nan=False)]
_SHOWN_PROBLEMS: Final = 5
_LARGEST_FILE_BYTES: Final = 1_000_000


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SourceEntry(_Entry):
    """Who made the claim, and where."""

    title: str
    """What was read."""
    link: str
    """An address, or a citation that finds it."""
    read: date | None = None
    """The day it was read."""
    grade: Grade = Grade.QUOTED
    """measured, official, quoted, expert or guess."""


class RangeEntry(_Entry):
    """A number with a range: 5 %, 50 % and 95 % quantiles."""

    low: Number
    typical: Number
    high: Number

    @model_validator(mode="after")
    def _in_order(self) -> RangeEntry:
        if not self.low <= self.typical <= self.high:
            raise ValueError(f"low <= typical <= high does not hold: {self.low:g}, {self.typical:g}, {self.high:g}")
        return self


class SpanEntry(_Entry):
    """A published figure given as a span."""

    low: Number
    high: Number

    @model_validator(mode="after")
    def _in_order(self) -> SpanEntry:
        if self.low > self.high:
            raise ValueError(f"low <= high does not hold: {self.low:g}, {self.high:g}")
        return self


FactEntry = Literal["unpriced"] | Number | RangeEntry
FigureEntry = Literal["never", "unpriced"] | Number | SpanEntry


class MixGpuEntry(_Entry):
    """One type of GPU in a mix."""

    usd_per_hour: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Rent."""
    req_per_s: list[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]]
    """Requests a second that one GPU serves, of each size of the workload."""


class GpuMixEntry(_Entry):
    """The cheapest mix of GPU types for requests of several sizes (Mélange); each type becomes a part of the claim."""

    req_per_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Requests a second, all sizes together."""
    workload: list[list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]]
    """Share of the requests of each size: rows by input length, columns by output length."""
    gpus: Annotated[dict[str, MixGpuEntry], Field(min_length=1, max_length=20)]
    """Types by name."""
    slice_factor: Annotated[int, Field(ge=1, le=64)] = 1
    """Slices that each size is cut into; a slice goes to one type."""

    @model_validator(mode="after")
    def _same_shape(self) -> GpuMixEntry:
        shape = [len(row) for row in self.workload]
        for name, gpu in self.gpus.items():
            if [len(row) for row in gpu.req_per_s] != shape:
                raise ValueError(f"gpus.{name}.req_per_s has another shape than workload")
        return self


class ClaimEntry(_Entry):
    """Somebody's claim about a cost, with the facts it was made from."""

    title: str
    """The claim in a few words."""
    source: SourceEntry
    """Who says so."""
    kind: Literal["reproduced", "narrative", "trap"] = "reproduced"
    """narrative: a story with few inputs; trap: the arithmetic holds, and the figure is wrong (see why_wrong)."""
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Relative difference up to which a published figure counts as the same."""
    given: dict[str, FactEntry] = {}
    """Facts by name; a name ends in its unit. A number, {low, typical, high}, or `unpriced` for an unknown price."""
    parts: Annotated[dict[str, dict[str, FactEntry]], Field(max_length=200)] = {}
    """Rows, deployments or models of the claim: facts of their own beside (or instead of) the common ones."""
    define: dict[str, str] = {}
    """The claim's own arithmetic, where no quantity of breakeven says it: name: expression."""
    gpu: str | None = None
    """Name of the GPU in the catalogue; it sizes the power that a claim about owned hardware leaves out."""
    gpu_mix: GpuMixEntry | None = None
    """A choice of GPU types to be worked out."""
    published: dict[str, FigureEntry] = {}
    """What the claim says, by the name of a quantity; PART.NAME for a part. A number, {low, high}, or never."""
    published_as: dict[str, str] = {}
    """What the claim itself calls a published figure."""
    recomputed: dict[str, FigureEntry | None] = {}
    """Right figures by name: checked when they are numbers, just shown when they are empty."""
    includes: list[str] = []
    """Cost lines that the claim says it counts, beside those that its facts show."""
    notes: str = ""
    """Anything a reader should know."""
    why_wrong: str = ""
    """For a trap: what is wrong with the published figure."""

    @field_validator("given", "parts", "define", "published", "published_as", "recomputed", "includes", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value if value is not None else {}

    @model_validator(mode="after")
    def _says_something(self) -> ClaimEntry:
        if not self.published and not self.recomputed:
            raise ValueError("nothing to check; name at least one figure under `published`")
        if self.kind == "trap" and not self.why_wrong:
            raise ValueError("a trap says why it is one, under `why_wrong`")
        return self


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """A claim that has the right shape, and where it stands."""

    name: str
    text: str
    entry: ClaimEntry

    def where(self, *path: str | int) -> str:
        """``file:line: key`` of a place in the file."""
        steps = ".".join(str(step) for step in path)
        return f"{self.name}:{strict_yaml.line_of(self.text, path)}: {steps}"


def read_claim(path: Path, today: date | None = None) -> ClaimFile:
    """Read a claim; raises ClaimError naming file and line, also for a source read after `today`."""
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise ClaimError(f"{path} is larger than {_LARGEST_FILE_BYTES:,} bytes; a claim is a short file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ClaimError(
            f"cannot read {path}: {error.strerror}; `breakeven check --list` names the bundled ones"
        ) from None
    except UnicodeDecodeError:
        raise ClaimError(f"{path} is not UTF-8 text") from None
    file = parse_claim(text, str(path))
    read = file.entry.source.read
    if today is not None and read is not None and read > today:
        raise ClaimError(f"{file.where('source', 'read')}: {read} has not come yet; correct the date")
    return file


def parse_claim(text: str, name: str) -> ClaimFile:
    """A claim from the text of its file; raises ClaimError naming file and line."""
    try:
        content = strict_yaml.read(text, name)
    except (CatalogError, RecursionError, ValueError) as error:
        raise ClaimError(str(error) or f"{name}: nested too deeply") from None
    if not isinstance(content, dict):
        seen = "nothing" if content is None else f"a {type(content).__name__}"
        raise ClaimError(f"{name}: saw {seen}; wanted keys and values: title, source, given, published")
    try:
        return ClaimFile(name, text, ClaimEntry.model_validate(content))
    except ValidationError as error:
        raise ClaimError(_explained(name, text, error)) from None


def _explained(name: str, text: str, error: ValidationError) -> str:
    told: dict[tuple[str | int, ...], tuple[int, str]] = {}
    for problem in error.errors(include_url=False):
        path = _inside_the_file(text, problem["loc"])
        rank = {"value_error": 0, "extra_forbidden": 1}.get(problem["type"], 2)
        line = f"{_place(name, text, path)}: {_wanted(dict(problem), path)}"
        fact = path[:2] if path[:1] in (("given",), ("published",), ("recomputed",)) else path[:3]
        told[fact] = min(told.get(fact, (3, "")), (rank, line))
    lines = [line for _, line in told.values()]
    more = [f"... and {len(lines) - _SHOWN_PROBLEMS} more"] if len(lines) > _SHOWN_PROBLEMS else []
    return "\n".join([*lines[:_SHOWN_PROBLEMS], *more])


def _inside_the_file(text: str, loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """The place without the members of unions that pydantic names on its way."""
    content = strict_yaml.read(text, "")
    path: list[str | int] = []
    for index, step in enumerate(loc):
        inside = isinstance(content, Mapping) and step in content
        if inside or (isinstance(content, list) and isinstance(step, int) and step < len(content)):
            content = content[step]
        elif index == len(loc) - 1 and isinstance(content, Mapping) and str(step).isidentifier() and index < 2:
            pass  # a missing key
        else:
            continue
        path.append(step)
    return tuple(path)


def _place(name: str, text: str, path: Sequence[str | int]) -> str:
    steps = ".".join(str(step) for step in path)
    line = f":{strict_yaml.line_of(text, path)}" if path else ""
    return f"{name}{line}: {steps}" if steps else name


def _wanted(problem: dict[str, Any], path: tuple[str | int, ...]) -> str:
    kind, seen = problem["type"], problem.get("input")
    if kind == "missing":
        return "missing; add it"
    if kind == "extra_forbidden":
        shapes: dict[str, type[BaseModel]] = {"source": SourceEntry, "gpu_mix": GpuMixEntry}
        shape = shapes.get(str(path[0]), ClaimEntry) if len(path) > 1 else ClaimEntry
        if path[0] in ("given", "parts"):
            shape = RangeEntry
        return f"unknown key; {nearest(str(path[-1]), list(shape.model_fields))}"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if path and path[0] in ("given", "parts"):
        return f"saw {seen!r}; wanted a number, a range {{low, typical, high}}, or unpriced"
    if path and path[0] in ("published", "recomputed"):
        return f"saw {seen!r}; wanted a number, a span {{low, high}}, or never"
    return f"saw {seen!r}, wanted {str(problem['msg']).removeprefix('Input should be ')}"
