"""PromptReader: what becomes of the texts in a chunk: features in the Calls, texts to keep, tokens to be estimated.

The statement hands texts over in columns `raw_*`; they end here. Equal prompts of a chunk are looked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakeven.usage.features import Hasher
from breakeven.usage.plan import ImportSettings
from breakeven.usage.prompts.conversation import Conversation, conversation
from breakeven.usage.prompts.texts import TEXTS_SCHEMA, TextRedactor, redactor_for
from breakeven.usage.store.prompt_features import FeatureMaker

RAW_TEXTS: Final = ("raw_prompt", "raw_system", "raw_tools", "raw_schema", "raw_response")
"""Columns of the statement that hold text."""
_FEATURES: Final = ("prompt_words", "prompt_terms", "prompt_counts", "system_hash", "schema_hash", "has_tools")
_OF_THE_PROMPT: Final = frozenset(_FEATURES[:3])


@dataclass(frozen=True, slots=True)
class TermCounts:
    """In how many calls of a chunk each term hash occurs."""

    hashes: NDArray[np.int64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """The Calls of a chunk without their texts, and what the texts gave."""

    calls: pa.Table
    terms: TermCounts | None = None
    texts: pa.Table | None = None
    """`TEXTS_SCHEMA`, and the times of the Calls."""


@dataclass(slots=True)
class PromptReader:
    """Shared by all workers of an import."""

    settings: ImportSettings
    hasher: Hasher = field(init=False)
    _maker: FeatureMaker = field(init=False)
    _redactor: TextRedactor | None = field(init=False)

    def __post_init__(self) -> None:
        self.hasher = Hasher(self.settings.salt)
        self._maker = FeatureMaker(self.hasher)
        self._redactor = redactor_for(self.settings.prompts)

    def read(self, calls: pa.Table) -> ReadTexts:
        """Take the texts out of `calls`."""
        there = [name for name in RAW_TEXTS if name in calls.column_names]
        if not there:
            return ReadTexts(calls)
        columns = {name: calls[name].to_pylist() for name in there if calls[name].null_count < calls.num_rows}
        calls = calls.drop_columns(there)
        prompts = [columns.get(name) for name in RAW_TEXTS[:4]]
        if all(each is None for each in prompts):
            return ReadTexts(calls, texts=self._texts(calls, columns, [], None) if columns else None)
        found, places = _distinct(prompts, calls.num_rows)
        calls = self._with_features(calls, found, places, columns.get("raw_prompt"))
        terms = _term_counts(calls["prompt_terms"]) if self.settings.vocabulary else None
        return ReadTexts(calls, terms, self._texts(calls, columns, found, places))

    def _with_features(
        self, calls: pa.Table, found: Sequence[Conversation], places: NDArray[np.int64], prompts: list[Any] | None
    ) -> pa.Table:
        made = self._maker.columns(found)
        is_missing = np.array([each is None for each in prompts or [None] * len(places)], bool)
        index, prompt_index = pa.array(places), pa.array(places, mask=is_missing)
        for name in _FEATURES:
            column = getattr(made, name).take(prompt_index if name in _OF_THE_PROMPT else index)
            if name in calls.column_names:
                calls = calls.set_column(calls.column_names.index(name), name, _filled(calls[name], column))
            else:
                calls = calls.append_column(name, column)
        return calls

    def _texts(
        self,
        calls: pa.Table,
        columns: dict[str, list[str | None]],
        found: Sequence[Conversation],
        places: NDArray[np.int64] | None,
    ) -> pa.Table | None:
        """The texts to keep, redacted where that was asked for."""
        if self._redactor is None:
            return None
        nothing: list[str | None] = [None] * calls.num_rows
        systems = nothing if places is None else [found[place].system for place in places.tolist()]
        kept = (systems, columns.get("raw_prompt", nothing), columns.get("raw_response", nothing))
        arrays = [pa.array(self._redactor.redacted(each), pa.string()) for each in kept]
        ids = calls["record_id"].combine_chunks().cast(pa.string())
        texts = pa.Table.from_arrays([ids, *arrays], schema=TEXTS_SCHEMA)
        texts = texts.append_column("start_time", calls["start_time"])
        has_text = [any(each[i] is not None for each in kept) for i in range(calls.num_rows)]
        return texts.filter(pa.array(has_text, pa.bool_()))


def _distinct(columns: Sequence[list[Any] | None], rows: int) -> tuple[list[Conversation], NDArray[np.int64]]:
    """The distinct prompts of the rows, taken apart, and which of them each row has."""
    there = [each for each in columns if each is not None]
    keys = there[0] if len(there) == 1 else list(zip(*there, strict=True))
    number: dict[Any, int] = {}
    places = np.fromiter((number.setdefault(key, len(number)) for key in keys), np.int64, rows)
    firsts = np.unique(places, return_index=True)[1].tolist()
    found = [conversation(*(None if each is None else each[row] for each in columns)) for row in firsts]
    return found, places


def _filled(told: pa.ChunkedArray, made: pa.Array) -> pa.Array:
    """What the log tells, else what was made."""
    told = told.combine_chunks()
    if pa.types.is_list(made.type):
        values = zip(told.to_pylist(), made.to_pylist(), strict=True)
        return pa.array([mine if mine is not None else ours for mine, ours in values], made.type)
    return pc.coalesce(told.cast(made.type), made)


def _term_counts(terms: pa.ChunkedArray) -> TermCounts:
    values = pc.list_flatten(terms).to_numpy()
    return TermCounts(*np.unique(values, return_counts=True))
