"""Importer: how one log format says what a Call is. One file per format; discovery walks the folder.

An importer is data, not code that loops over rows: it names, for each field of a Call, the columns or JSON paths
that may hold it, states its token rule and its time rule, and recognises its own files. The rows themselves are
read by `usage/reading` and turned into Calls by `usage/store`, so every format gets the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from breakeven.usage.call import COLUMN_BY_NAME, Grain
from breakeven.usage.reading.head import Head, Shape
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.unpacked import Unfit

TokensRule = Literal["by_field", "inclusive", "exclusive"]
"""Whether input tokens contain cache reads and writes. `by_field`: the names decide, row by row (Anthropic's
`input_tokens` beside `cache_read_input_tokens` does not contain them, OpenAI's `prompt_tokens` does)."""

SOURCE_FIELDS: Final[Mapping[str, str]] = {
    "prompt_tokens": "input tokens under a name that always includes cached tokens (OpenAI)",
    "exclusive_cache_read_tokens": "cache reads counted beside the input tokens (Anthropic)",
    "exclusive_cache_write_tokens": "cache writes counted beside the input tokens (Anthropic)",
    "exclusive_cache_write_5m_tokens": "the 5 minute part of those writes",
    "exclusive_cache_write_1h_tokens": "the 1 hour part of those writes",
    "exclusive_reasoning_tokens": "reasoning counted beside the output tokens (Gemini's thoughts)",
    "exclusive_input_tokens": "input counted beside the input tokens (Gemini's tool use)",
    "total_tokens": "all tokens; only shows whether reasoning is counted beside the output tokens (Grok)",
    "duration_ms": "duration in milliseconds",
    "ttft_ms": "time to the first token in milliseconds",
    "sampling_rate": "share of calls that were logged; weight is 1 over it",
    "unit": "user or end user; hashed",
    "api_key": "API key or its name; hashed",
    "prompt_text": "prompt, messages or the whole request as JSON; hashed, then dropped unless asked otherwise",
    "system_text": "system prompt, where it stands apart; as above",
    "tools_text": "tools on offer, as JSON; their names are hashed",
    "schema_text": "wanted form of the answer, as JSON; hashed",
    "response_text": "answer; dropped unless asked otherwise",
}
"""Fields a source may have that are converted into columns of the Call."""

FIELD_NAMES: Final[tuple[str, ...]] = (*COLUMN_BY_NAME, *SOURCE_FIELDS)
"""Everything `--map FIELD=COLUMN` may name."""


@dataclass(frozen=True, slots=True)
class RelativeTime:
    """Times counted from an unknown start; an anchor date makes them absolute, and `tz_assumed` says so."""

    anchor: datetime
    units_per_s: float


@dataclass(frozen=True, slots=True)
class Holds:
    """What logs of one format hold, for the table of formats."""

    grain: Grain
    """Of its finest rows."""
    prompts: Literal["yes", "optional", "no"] = "no"
    latency: bool = False
    first_token: bool = False
    cost: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A file whose rows must be unpacked, with what was seen of it."""

    log: LogFile
    head: Head
    companions: Sequence[tuple[LogFile, Head]] = ()
    """Files of the same import that this format joins to its own (`Importer.is_companion`)."""


Unpack = Callable[[Packed], Iterator[Mapping[str, object] | Unfit]]
"""Gives every row of a file as a flat record under the names of `Importer.fields`, or says why it is none."""


@dataclass(frozen=True, slots=True)
class Importer:
    """What one log format calls the fields of a Call."""

    name: str
    """Name for ``--format`` and for the `source` column."""
    title: str
    shapes: frozenset[Shape]
    fields: Mapping[str, tuple[str, ...]]
    """Field -> the columns or dotted JSON paths that may hold it, best first."""
    wanted: tuple[tuple[str, ...], ...]
    """Groups of fields; a file needs at least one of each group."""
    tokens_rule: TokensRule
    confidence: Callable[[Head], float]
    """How sure the format is that a file is its own, 0 to 1."""
    relative_time: RelativeTime | None = None
    takes_mapping: bool = False
    """Whether ``--map`` makes sense for this format."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Columns that are the same text in every row of this format."""
    concludes: str = ""
    """What logs of this format have, and what nobody can conclude from them."""
    holds: Holds = Holds("request")
    unpack: Unpack | None = None
    """For formats whose rows are not lines or records: buckets in pages, spans in batches, a call in several rows."""
    is_companion: Callable[[Head], bool] | None = None
    """Recognises files that hold no calls and are joined to files of this format, such as the requests of a batch."""
    companion_note: str = ""
    """What to tell somebody who imports such a file alone."""
    rare_names: frozenset[str] = frozenset()
    """Names in objects that few files have; only looked for where the beginning of a file has such an object."""
    is_sample: bool = False
    """Only a share of the calls is logged, and the rows do not say which: somebody must."""
    is_series: bool = False
    """Each file continues others of its format, which are its companions and logs themselves: counters, scraped."""

    def __post_init__(self) -> None:
        strangers = [each for each in (*self.fields, *self.constants) if each not in FIELD_NAMES]
        if strangers:
            raise TypeError(f"importer {self.name}: {strangers} are no fields of a Call")

    def missing(self, present: Mapping[str, tuple[str, ...]]) -> list[str]:
        """What a file with the fields `present` lacks, in the words of this format."""
        lacking = [group for group in self.wanted if not any(each in present for each in group)]
        return [" or ".join(self._names(group)) for group in lacking]

    def _names(self, group: tuple[str, ...]) -> list[str]:
        return [self.fields[each][0] for each in group if each in self.fields]
