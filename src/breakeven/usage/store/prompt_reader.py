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
from breakeven.usage.prompts.conversation import Conversation, answer_text, conversation
from breakeven.usage.prompts.texts import TEXTS_SCHEMA, TextRedactor, redactor_for
from breakeven.usage.store.held_calls import Lacking
from breakeven.usage.store.prompt_features import FeatureMaker
from breakeven.usage.token_estimate.calibration import Sample, estimate

RAW_TEXTS: Final = ("raw_prompt", "raw_system", "raw_tools", "raw_schema", "raw_response")
"""Columns of the statement that hold text."""
_FLAGS: Final = ("lacks_input", "lacks_output", "calibrates")
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
    lacking: Sequence[Lacking] = ()
    samples: Sequence[Sample] = ()


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
        flags = {name: _true_rows(calls, name) for name in _FLAGS}
        calls = calls.drop_columns([name for name in _FLAGS if name in calls.column_names])
        there = [name for name in RAW_TEXTS if name in calls.column_names]
        if not there:
            return ReadTexts(calls)
        columns = {name: calls[name].to_pylist() for name in there if calls[name].null_count < calls.num_rows}
        calls = calls.drop_columns(there)
        if not columns:
            return ReadTexts(calls)
        prompts = [columns.get(name) for name in RAW_TEXTS[:4]]
        found, places = _distinct(prompts, calls.num_rows)
        said = _Said(calls, found, places, columns.get("raw_response"))
        terms = None
        if any(each is not None for each in prompts):
            calls = self._with_features(calls, found, places, columns.get("raw_prompt"))
            terms = _term_counts(calls["prompt_terms"]) if self.settings.vocabulary else None
        lacking, samples = said.lacking(flags), said.samples(flags["calibrates"])
        return ReadTexts(calls, terms, self._texts(calls, columns, found, places), lacking, samples)

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
        places: NDArray[np.int64],
    ) -> pa.Table | None:
        """The texts to keep, redacted where that was asked for."""
        if self._redactor is None:
            return None
        nothing: list[str | None] = [None] * calls.num_rows
        systems = [found[place].system for place in places.tolist()]
        kept = (systems, columns.get("raw_prompt", nothing), columns.get("raw_response", nothing))
        arrays = [pa.array(self._redactor.redacted(each), pa.string()) for each in kept]
        ids = calls["record_id"].combine_chunks().cast(pa.string())
        texts = pa.Table.from_arrays([ids, *arrays], schema=TEXTS_SCHEMA)
        texts = texts.append_column("start_time", calls["start_time"])
        has_text = [any(each[i] is not None for each in kept) for i in range(calls.num_rows)]
        return texts.filter(pa.array(has_text, pa.bool_()))


@dataclass(slots=True)
class _Said:
    """What was said in the calls of a chunk, for counting tokens."""

    calls: pa.Table
    found: Sequence[Conversation]
    places: NDArray[np.int64]
    answers: list[str | None] | None

    def lacking(self, flags: dict[str, list[int]]) -> list[Lacking]:
        """The rows without tokens, with estimates of those that are missing."""
        no_input, no_output = set(flags["lacks_input"]), set(flags["lacks_output"])
        lacking = []
        for row in sorted(no_input | no_output):
            model = self._model(row)
            made = []
            if row in no_input:
                made.append(estimate(self.found[self.places[row]].text, model, "input"))
            if row in no_output:
                made.append(estimate(self._answer(row), model, "output"))
            has_images = row in no_input and self.found[self.places[row]].images_count > 0
            lacking.append(Lacking(row, model, tuple(made), has_images))
        return lacking

    def samples(self, rows: Sequence[int]) -> list[Sample]:
        """Texts of calls whose tokens are known. Images have tokens and no text, so calls with them tell nothing."""
        samples = []
        for row in rows:
            told = self.found[self.places[row]]
            if not told.images_count:
                model = self._model(row)
                samples.append(Sample(model, "input", told.text, self.calls["input_tokens"][row].as_py()))
                samples.append(Sample(model, "output", self._answer(row), self.calls["output_tokens"][row].as_py()))
        return samples

    def _answer(self, row: int) -> str:
        return answer_text((self.answers[row] if self.answers else None) or "")

    def _model(self, row: int) -> str | None:
        names = (name for name in ("response_model", "request_model") if name in self.calls.column_names)
        return next((value for name in names if (value := self.calls[name][row].as_py()) is not None), None)


def _true_rows(calls: pa.Table, flag: str) -> list[int]:
    if flag not in calls.column_names:
        return []
    rows: list[int] = pc.indices_nonzero(pc.fill_null(calls[flag].combine_chunks(), False)).to_pylist()
    return rows


def _distinct(columns: Sequence[list[Any] | None], rows: int) -> tuple[list[Conversation], NDArray[np.int64]]:
    """The distinct prompts of the rows, taken apart, and which of them each row has."""
    there = [each for each in columns if each is not None] or [[None] * rows]
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
