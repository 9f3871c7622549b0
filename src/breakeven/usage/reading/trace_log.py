"""Trace log: the model calls in a file of spans, each counted once, at the innermost span that carries its tokens."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.llm_spans import call_of, carries_tokens, is_model_call
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.span_families import Repeats, SpanFamilies, span_key
from breakeven.usage.reading.spans import Span, spans_of
from breakeven.usage.reading.unpacked import Unfit


def model_calls(log: LogFile, head: Head) -> Iterator[dict[str, object] | Unfit]:
    """Every span as a flat record of a call, or the reason why it is none. Reads the file twice: families first."""
    repeats = _repeats(_spans(log, head))
    for span in _spans(log, head):
        if isinstance(span, Unfit):
            yield span
            continue
        call = call_of(span)
        if not isinstance(call, Unfit) and (repeats.outer or repeats.inner):
            key = span_key(span.trace_id, span.span_id)
            if key in repeats.outer:
                call = Unfit("a span around another call's span, whose tokens it repeats", span.name)
            elif key in repeats.inner:
                call = Unfit("a span without tokens inside another span of the same call", span.name)
        yield call


def _repeats(spans: Iterator[Span | Unfit]) -> Repeats:
    families = SpanFamilies()
    for span in spans:
        if isinstance(span, Span):
            has_tokens = carries_tokens(span)
            is_call = has_tokens or (span.status != "error" and is_model_call(span))
            families.add(span.trace_id, span.span_id, span.parent_id, is_call=is_call, has_tokens=has_tokens)
    return families.repeats()


def _spans(log: LogFile, head: Head) -> Iterator[Span | Unfit]:
    for document in documents(log, head):
        if isinstance(document, Unfit):
            yield document
        else:
            yield from spans_of(document)
