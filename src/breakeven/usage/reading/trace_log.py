"""Trace log: the model calls in a file of spans, each counted once, at the innermost span that carries its tokens."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.llm_spans import call_of, carries_tokens
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.span_families import SpanFamilies, span_key
from breakeven.usage.reading.spans import Span, spans_of
from breakeven.usage.reading.unpacked import Unfit


def model_calls(log: LogFile, head: Head) -> Iterator[dict[str, object] | Unfit]:
    """Every span as a flat record of a call, or the reason why it is none. Reads the file twice: parents first."""
    families = SpanFamilies()
    for span in _spans(log, head):
        if isinstance(span, Span):
            families.add(span.trace_id, span.span_id, span.parent_id, counts=carries_tokens(span))
    enclosing = families.enclosing()
    del families
    for span in _spans(log, head):
        call = span if isinstance(span, Unfit) else call_of(span)
        if enclosing and isinstance(span, Span) and not isinstance(call, Unfit) and _key(span) in enclosing:
            call = Unfit("a span around another call's span, whose tokens it repeats", span.name)
        yield call


def _key(span: Span) -> int:
    return span_key(span.trace_id, span.span_id)


def _spans(log: LogFile, head: Head) -> Iterator[Span | Unfit]:
    for document in documents(log, head):
        if isinstance(document, Unfit):
            yield document
        else:
            yield from spans_of(document)
