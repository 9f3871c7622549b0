"""Plan: how one file will be read: which importer, which of its names hold which field of a Call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from breakeven.errors import UsageError, nearest
from breakeven.usage.importers import importer_named, importers
from breakeven.usage.importers.importer import FIELD_NAMES, Importer, Packed, TokensRule
from breakeven.usage.prompts.texts import PromptsMode
from breakeven.usage.reading.columnar import read_columns
from breakeven.usage.reading.delimited import Layout, read_records
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.first_look import sampled_head
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.rows import RowBatch
from breakeven.usage.reading.unpacked import row_batches
from breakeven.usage.redact import hash_of

SAMPLED_BYTES: Final = 64 << 20
"""In a larger uncompressed JSONL file only names seen at its head and in 256 places along it are looked for, and
the names of cached and reasoning tokens beside them. That halves the time; a name that fewer than about one row in
5,000 has may be overlooked (``--map`` makes sure of it)."""

COMPILED_BYTES: Final = 256 << 20
"""Only a sampled log larger than this is worth the line kernel: loading it costs a second, compiling it, once per
machine, ten."""

_BESIDE_TOKENS: Final = (
    "cache_read_tokens",
    "cache_write_tokens",
    "exclusive_cache_read_tokens",
    "exclusive_cache_write_tokens",
    "exclusive_cache_write_1h_tokens",
    "reasoning_tokens",
    "exclusive_reasoning_tokens",
    "exclusive_input_tokens",
)
_TOKENS: Final = ("input_tokens", "prompt_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What a person said about the files of one import."""

    format: str | None = None
    """Name of an importer; None to sniff."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Field -> column or dotted JSON path. An empty path means: this log has no such field."""
    tokens_rule: TokensRule | None = None
    """Overrides the importer's rule."""
    salt: str = ""
    """Mixed into the hashes of users and keys."""
    sampled_fraction: float | None = None
    """Share of the calls that was logged, for rows that do not say it themselves."""
    prompts: PromptsMode = "drop"
    """What becomes of prompts and answers."""
    vocabulary: bool = True
    """Whether words that many calls have are kept beside the Calls, so that clusters can be named."""

    def __post_init__(self) -> None:
        if self.sampled_fraction is not None and not 1e-9 <= self.sampled_fraction <= 1:
            raise UsageError(
                f"sampling rate {self.sampled_fraction:g}: wanted the share of calls that was logged, more than 0 and"
                " at most 1, e.g. --sampling-rate 0.1"
            )
        for name in self.mapping:
            if name not in FIELD_NAMES:
                raise UsageError(f"--map {name}=...: no such field; {nearest(name, list(FIELD_NAMES))}")

    def key(self, format_name: str) -> str:
        """What must be equal for two imports of one file to mean the same."""
        mapped = ",".join(f"{name}={path}" for name, path in sorted(self.mapping.items()))
        sampled = () if self.sampled_fraction is None else (f"sampled={self.sampled_fraction!r}",)
        salted = hash_of(self.salt) if self.salt else ""
        texts = () if self.prompts == "drop" else (f"prompts={self.prompts}",)
        return "|".join((format_name, mapped, self.tokens_rule or "", salted, *sampled, *texts))


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read one file. Equal plans can share a statement."""

    importer: Importer
    head: Head
    """Of the rows, which are JSON lines once they are unpacked."""
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    """Field -> the names that may hold it, best first."""
    tokens_rule: TokensRule
    salt: str
    spellings: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()
    """Only for JSON: name -> the keys that lead to it, in every way it may be spelled."""
    packed: Head | None = None
    """What was seen of a file whose rows must be unpacked."""
    sampled_fraction: float | None = None
    """Share of the calls that was logged, where the rows do not say it."""
    unseen: frozenset[str] = frozenset()
    """Names among those of `fields` that the file was not seen to have."""
    is_huge: bool = False
    """So large that compiled code pays."""

    def narrowed(self) -> Plan:
        """The plan for rows that have no `unseen` name."""
        narrow = ((name, tuple(each for each in names if each not in self.unseen)) for name, names in self.fields)
        return replace(self, fields=tuple((name, names) for name, names in narrow if names))

    def batches(self, log: LogFile, companions: Sequence[tuple[LogFile, Head]] = ()) -> Iterator[RowBatch]:
        """The rows of `log`."""
        if self.packed is not None:
            if self.importer.unpack is not None:
                return row_batches(self.importer.unpack(Packed(log, self.packed, companions)))
            return row_batches(documents(log, self.packed))
        if self.head.shape == "jsonl":
            return read_lines(log)
        if self.head.shape == "csv":
            return read_records(log, self.layout, self.wanted)
        return read_columns(log, self.wanted)

    @property
    def layout(self) -> Layout:
        """Only for CSV."""
        assert self.head.layout is not None
        return self.head.layout

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names the plan reads, each once."""
        return tuple(dict.fromkeys(name for _, names in self.fields for name in names))

    @property
    def statement_key(self) -> tuple[object, ...]:
        """Plans with equal keys turn rows into Calls by the same statement."""
        shape = (self.importer.name, self.head.shape, self.head.has_decimal_comma, self.head.groups_with_dots)
        names = (self.fields, self.spellings, self.unseen, self.is_huge)
        return (*shape, *names, self.tokens_rule, self.salt, self.sampled_fraction)


def plan_for(log: LogFile, head: Head, settings: ImportSettings, *, is_alone: bool = False) -> Plan:
    """Choose the importer and the names; raise UsageError when the file does not hold what the format needs.

    Files that are not alone look for all names, so that those of one format share a statement.
    """
    return replace(_plan_for(log, head, settings, is_alone), sampled_fraction=settings.sampled_fraction)


def _plan_for(log: LogFile, head: Head, settings: ImportSettings, is_alone: bool) -> Plan:
    importer = importer_named(settings.format) if settings.format else _sniffed(log, head, settings)
    if settings.mapping and not importer.takes_mapping:
        raise UsageError(f"format '{importer.name}' has fixed columns; --map is for --format breakeven")
    wishes = _wishes(importer, settings, head)
    if head.shape not in importer.shapes:
        raise UsageError(_misfit(log, head, importer, [" or ".join(sorted(importer.shapes)) + " rows"]))
    if importer.unpack is not None:
        return _unpacking(log, head, importer, settings)
    present = head.present(wishes)
    if missing := importer.missing(present):
        raise UsageError(_misfit(log, head, importer, missing))
    _check_mapping(log, head, settings, present)
    rule = settings.tokens_rule or importer.tokens_rule
    if head.shape in ("csv", "parquet"):
        return Plan(importer, head, tuple(sorted(present.items())), rule, settings.salt)
    seen = _seen(log, head)
    chosen = _seen_or_beside(seen, wishes) if seen else {name: paths for name, paths in wishes.items() if paths}
    if seen is None and is_alone and head.is_whole:
        seen, chosen = head, present
    spelled = {path: _spellings(path, seen) for paths in chosen.values() for path in paths}
    fields, spellings = tuple(sorted(chosen.items())), tuple(sorted(spelled.items()))
    if head.shape == "json":
        return Plan(importer, replace(head, shape="jsonl"), fields, rule, settings.salt, spellings, packed=head)
    unseen = frozenset(spelled) - seen.names if seen else frozenset()
    return Plan(importer, head, fields, rule, settings.salt, spellings, unseen=unseen, is_huge=is_huge(log))


def is_huge(log: LogFile) -> bool:
    """Whether compiled code pays for `log`, be it JSON lines."""
    return log.bytes_count >= COMPILED_BYTES


def _unpacking(log: LogFile, head: Head, importer: Importer, settings: ImportSettings) -> Plan:
    """The plan of a format that unpacks its rows itself: flat JSON under the names of its fields."""
    if importer.confidence(head) <= 0:
        raise UsageError(_misfit(log, head, importer, importer.missing({})))
    fields = tuple(sorted((name, paths) for name, paths in importer.fields.items() if paths))
    names = frozenset(path for _, paths in fields for path in paths)
    spellings = tuple(sorted((name, ((name,),)) for name in names))
    rule = settings.tokens_rule or importer.tokens_rule
    return Plan(importer, Head("jsonl", names), fields, rule, settings.salt, spellings, packed=head)


def _sniffed(log: LogFile, head: Head, settings: ImportSettings) -> Importer:
    if settings.mapping:
        return importer_named("breakeven")
    fitting = [each for each in importers().values() if head.shape in each.shapes]
    best = max(fitting, key=lambda each: (each.confidence(head), each.name), default=None)
    if best is not None and best.confidence(head) > 0:
        return best
    own = importer_named("breakeven")
    raise UsageError(
        f"{log.path}: no known log format. Saw {_shown(head)}.\n  Wanted {'; '.join(own.missing({}))} in each row, "
        f"or one of the {len(importers())} formats that `breakeven formats` lists.\n"
        "  Name your columns with --map, for example --map start_time=COLUMN --map input_tokens=COLUMN "
        "--map output_tokens=COLUMN."
    )


def _misfit(log: LogFile, head: Head, importer: Importer, missing: list[str]) -> str:
    advice = " Name the columns with --map FIELD=COLUMN." if importer.takes_mapping else " Leave --format out to sniff."
    return f"{log.path}: not '{importer.name}'. Saw {_shown(head)}; wanted {'; '.join(missing)}.{advice}"


def _shown(head: Head, names_max: int = 15) -> str:
    names = list(head.layout.columns) if head.layout else sorted(head.names, key=lambda each: (each.count("."), each))
    more = f", and {len(names) - names_max} more" if len(names) > names_max else ""
    return f"{head.shape} with {', '.join(repr(each) for each in names[:names_max])}{more}"


def _wishes(importer: Importer, settings: ImportSettings, head: Head) -> dict[str, tuple[str, ...]]:
    """Field -> names to look for: the mapping's name alone where there is one."""
    objects = {name.partition(".")[0] for name in head.names}
    absent = {name for name in importer.rare_names if name.partition(".")[0] not in objects}
    wishes = {field: tuple(n for n in names if n not in absent) for field, names in importer.fields.items()}
    for name, path in settings.mapping.items():
        wishes[name] = (path,) if path else ()
    if "input_tokens" in settings.mapping:
        wishes["prompt_tokens"] = ()
    return wishes


def _check_mapping(log: LogFile, head: Head, settings: ImportSettings, present: Mapping[str, tuple[str, ...]]) -> None:
    for name, path in settings.mapping.items():
        if path and name not in present:
            raise UsageError(f"{log.path}: --map {name}={path}: no such column; {nearest(path, sorted(head.names))}")


def _seen(log: LogFile, head: Head) -> Head | None:
    """What a large log holds; None for a smaller one, where looking for every name costs little."""
    if head.shape == "json" or log.compression != "none" or log.encoding != "utf-8" or log.bytes_count < SAMPLED_BYTES:
        return None
    sampled = sampled_head(log)
    return Head("jsonl", head.names | sampled.names, dotted_keys=head.dotted_keys | sampled.dotted_keys)


def _seen_or_beside(seen: Head, wishes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The names seen, and what could stand in the same object as the token counts without having been seen."""
    chosen = seen.present(wishes)
    places = {name.rpartition(".")[0] for field in _TOKENS for name in chosen.get(field, ())}
    for name in _BESIDE_TOKENS:
        beside = tuple(path for path in wishes.get(name, ()) if _is_below(path, places) or path in chosen.get(name, ()))
        if beside:
            chosen[name] = beside
    return chosen


def _is_below(path: str, places: set[str]) -> bool:
    """True when `path` stands in one of the objects `places`, or in an object beside the token counts there."""
    return any(path.startswith(f"{place}.") if place else "." not in path for place in places)


def _spellings(path: str, seen: Head | None) -> tuple[tuple[str, ...], ...]:
    """A dotted name is one key (OpenTelemetry) or keys in keys; only what was seen, where that is known."""
    keys = tuple(path.split("."))
    if len(keys) == 1 or not all(keys):
        return ((path,),)
    if seen is None:
        return ((path,), keys)
    is_flat = any(key.split(".")[0] == keys[0] for key in seen.dotted_keys)
    is_nested = keys[0] in seen.names
    return tuple(each for each, is_there in (((path,), is_flat), (keys, is_nested)) if is_there) or (keys,)
