"""Azure OpenAI behind API Management: `ApiManagementGatewayLlmLog`, a request split over several rows that are joined.

Source: learn.microsoft.com/azure/api-management/api-management-howto-llm-logs. Rows of one request share a
`CorrelationId`; one of them has the token counts, the others pieces of the prompt and of the answer by
`SequenceNumber`. `RequestResponse` rows of the resource itself have sizes in bytes and no tokens: they are no calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.nested import first_of, object_in, objects_in, parsed, scalar, text_in
from breakeven.usage.reading.unpacked import Unfit

_SUFFIX: Final = re.compile(r"(_[sdgbt])?( \[[^\]]*\])?$", re.IGNORECASE)
"""What Log Analytics appends to names of columns: a type, the time zone of the portal."""
_PORTAL_TIME: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(\.\d+)?( [AP]M)?", re.IGNORECASE
)
_INPUT: Final = ("prompttokens", "inputtokens", "processedprompttokens")
_OUTPUT: Final = ("completiontokens", "outputtokens", "generatedtokens", "generatedcompletiontokens")
_CACHED: Final = ("cachedtokens", "promptcachedtokens", "cachedprompttokens", "cachedinputtokens")
_TEXTS_CHARACTERS_MAX: Final = 256 << 20
"""Pieces of prompts beyond this much are not kept for joining."""
_NO_TOKENS: Final = (
    "a RequestResponse row: sizes in bytes, no token counts; export ApiManagementGatewayLlmLog or the metrics instead"
)


def _confidence(head: Head) -> float:
    names = {_plain(each.rpartition(".")[2]) for each in head.names}
    has_tokens = names & set(_INPUT) and names & set(_OUTPUT)
    if "correlationid" in names and has_tokens and names & {"deploymentname", "modelname", "sequencenumber"}:
        return 1.0
    if names >= {"correlationid", "operationname", "durationms"} and names & {"properties", "resultsignature"}:
        return 0.8
    if names >= {"correlationid", "category", "properties"}:
        return 0.6
    return 0.6 if head.names >= {"tables[].columns[].name", "tables[].rows"} else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    joined = _Joined()
    for found in documents(packed.log, packed.head):
        if isinstance(found, Unfit):
            yield found
            continue
        for record in _table_rows(found):
            problem = joined.take(record)
            if problem is not None:
                yield problem
    yield from joined.calls()


def _plain(name: str) -> str:
    return _SUFFIX.sub("", name).casefold()


def _table_rows(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of an answer of the Log Analytics API; any other record is a row itself."""
    tables = found.get("tables")
    if not isinstance(tables, list):
        yield found
        return
    for table in objects_in(tables):
        names = [str(column.get("name")) for column in objects_in(table.get("columns"))]
        rows = table.get("rows")
        for row in rows if isinstance(rows, list) else ():
            yield dict(zip(names, row, strict=False)) if isinstance(row, list) else {"row": row}


@dataclass(slots=True)
class _Request:
    """The rows of one request."""

    counts: list[dict[str, Any]] = field(default_factory=list)
    """The rows that have token counts, each once."""
    prompts: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    """By sequence number."""
    is_cut: bool = False


@dataclass(slots=True)
class _Joined:
    requests: dict[str, _Request] = field(default_factory=dict)
    characters: int = 0
    day_first: bool = False
    """A date such as 31/10 was seen."""
    zone: str = "Z"
    """Empty when the portal showed times of another zone, which it does not name."""

    def take(self, record: dict[str, Any]) -> Unfit | None:
        """Keep a row; or say why it is none."""
        row = _flat(record)
        if any(name.startswith("TimeGenerated [") and "[UTC]" not in name for name in record):
            self.zone = ""
        key = first_of(row, "correlationid")
        if not isinstance(key, str):
            return Unfit("no CorrelationId: not a row of a request", raw=text_of(record))
        is_count = first_of(row, *_INPUT, *_OUTPUT) is not None
        if not is_count and first_of(row, "requestmessages", "responsemessages", "sequencenumber") is None:
            return Unfit(_NO_TOKENS, key, text_of(record))
        request = self.requests.setdefault(key, _Request())
        self._keep_texts(request, row)
        self.day_first |= _is_day_first(row.get("timegenerated"))
        if _is_counting(row):
            counts = {name: value for name, value in row.items() if name not in ("requestmessages", "responsemessages")}
            if counts not in request.counts:
                request.counts.append(counts)
        return None

    def _keep_texts(self, request: _Request, row: Mapping[str, Any]) -> None:
        place = str(first_of(row, "sequencenumber") or 0).zfill(9)
        for name, kept in (("requestmessages", request.prompts), ("responsemessages", request.answers)):
            value = row.get(name)
            if value in (None, "", "[]", []):
                continue
            self.characters += len(text_in(value) or "")
            if self.characters > _TEXTS_CHARACTERS_MAX:
                request.is_cut = True
            else:
                kept[place] = value

    def calls(self) -> Iterator[Mapping[str, object] | Unfit]:
        """Every request as one record; one more for each further row of counts, a retry behind the gateway."""
        for key, request in self.requests.items():
            if not request.counts:
                yield Unfit("the row with this request's token counts is not in this file", key)
            for number, row in enumerate(request.counts):
                yield self._call(key, number, row, request)

    def _call(self, key: str, number: int, row: Mapping[str, Any], request: _Request) -> Mapping[str, object]:
        counts = [scalar(first_of(row, *names)) for names in (_INPUT, _OUTPUT, _CACHED)]
        is_uncounted = all(str(each or 0) in ("0", "0.0") for each in counts[:2])
        deployment, model = scalar(first_of(row, "deploymentname", "modeldeploymentname")), scalar(row.get("modelname"))
        return {
            "record_id": f"{key}#{number}" if number else key,
            "retry_of": key if number else None,
            "start_time": self._time(first_of(row, "timegenerated", "time", "timestamp")),
            "request_model": deployment or model,
            "response_model": model,
            "prompt_tokens": None if is_uncounted else counts[0],
            "output_tokens": None if is_uncounted else counts[1],
            "cache_read_tokens": counts[2],
            "stream": scalar(first_of(row, "isstreamcompletion")),
            "duration_ms": scalar(first_of(row, "totaltime", "durationms", "backendtime")),
            "http_status": scalar(first_of(row, "responsecode", "backendresponsecode", "resultsignature")),
            "error_type": scalar(first_of(row, "lasterrorreason")),
            "endpoint": scalar(first_of(row, "apiid", "operationname")),
            "operation": "embeddings" if "embed" in f"{model} {deployment}".lower() else "chat",
            "application": scalar(first_of(row, "productid", "applicationname")),
            "api_key": scalar(first_of(row, "apimsubscriptionid", "subscriptionid")),
            "prompt_text": _joined_text(request.prompts),
            "redaction": "prompt too long to be joined" if request.is_cut else None,
        }

    def _time(self, time: Any) -> object:
        """ISO text of a time as the portal shows it (``11/2/2026, 3:04:05.123 PM``); anything else as it is."""
        found = _PORTAL_TIME.fullmatch(time.strip()) if isinstance(time, str) else None
        if found is None:
            return scalar(time)
        first, second, year, hour, minute, second_of_minute, fraction, half = found.groups()
        day, month = (first, second) if self.day_first else (second, first)
        hours = int(hour) % 12 + 12 * (half.strip().upper() == "PM") if half else int(hour)
        clock = f"{hours:02d}:{minute}:{second_of_minute}{fraction or ''}"
        return f"{year}-{int(month):02d}-{int(day):02d}T{clock}{self.zone}"


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Columns under plain names, those inside `properties` beside the others."""
    row = {_plain(name): value for name, value in record.items()}
    for name, value in object_in(row.get("properties")).items():
        row.setdefault(_plain(name), value)
    return row


def _is_counting(row: Mapping[str, Any]) -> bool:
    """True for the row that has the counts; the others have no model, and zeros where the counts would be."""
    named = first_of(row, "modelname", "deploymentname", "modeldeploymentname")
    return named is not None or any(str(row.get(each) or 0) not in ("0", "0.0") for each in (*_INPUT, *_OUTPUT))


def _joined_text(pieces: Mapping[str, Any]) -> str | None:
    """The pieces in order: lists of messages become one list, texts one text."""
    values = [parsed(pieces[place]) for place in sorted(pieces)]
    if values and all(isinstance(each, list) for each in values):
        return text_in([message for each in values for message in each])
    return "".join(text_in(pieces[place]) or "" for place in sorted(pieces)) or None


def _is_day_first(time: object) -> bool:
    found = _PORTAL_TIME.fullmatch(time.strip()) if isinstance(time, str) else None
    return found is not None and int(found[1]) > 12


_FIELDS: Final = (
    *("record_id", "retry_of", "start_time", "request_model", "response_model", "prompt_tokens", "output_tokens"),
    *("cache_read_tokens", "stream", "duration_ms", "http_status", "error_type", "endpoint", "operation"),
    *("application", "api_key", "prompt_text", "redaction"),
)

IMPORTER = Importer(
    name="azure_openai",
    title="Azure OpenAI behind API Management (Log Analytics, storage or event hub)",
    shapes=frozenset({"jsonl", "json", "csv", "parquet"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("prompt_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "azure.ai.openai"},
    holds=Holds("request", prompts="optional", latency=True),
    concludes="Requests with tokens, deployment and model. No cached tokens, so spend is an upper bound where a cache "
    "works; latency and status only when joined with the gateway's own log; no time to the first token.",
    unpack=_unpack,
)
