"""AWS Bedrock model invocation logs: S3 objects, or CloudWatch in any of its exports; one record is one request.

Source: docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html. `inputTokenCount` does not contain
what was read from or written to a prompt cache; these counts stand beside it, in older records only in the body of the
answer. Bodies above 100 KB lie in S3 objects of their own: the record then has counts and no prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.nested import first_of, object_in, objects_in, parsed, scalar, text_in
from breakeven.usage.reading.rows import shortened
from breakeven.usage.reading.unpacked import Unfit

_MARK: Final = '"schemaType":"ModelInvocationLog"'
_READS: Final = ("cacheReadInputTokenCount", "cacheReadInputTokens", "cache_read_input_tokens")
_WRITES: Final = ("cacheWriteInputTokenCount", "cacheWriteInputTokens", "cache_creation_input_tokens")
_FINISH: Final = ("stop_reason", "stopReason", "completionReason", "finish_reason", "finishReason")
_LIMITS: Final = ("max_tokens", "max_completion_tokens", "maxTokens", "maxTokenCount", "max_gen_len")
_TAGS: Final = {
    "application": ("application", "app", "service", "project", "team"),
    "task": ("task", "use_case", "usecase", "feature"),
    "unit": ("user", "user_id", "userid", "end_user", "tenant"),
    "session_id": ("session_id", "sessionid", "conversation_id"),
    "trace_id": ("trace_id", "traceid"),
}
"""Keys of `requestMetadata`, which callers fill as they like."""
_PICTURES: Final = ("stability.", "titan-image", "nova-canvas", "nova-reel", "luma.")
_ELSEWHERE: Final = "prompt lies in an S3 object of its own"


def _confidence(head: Head) -> float:
    if head.names >= {"modelId", "schemaType"} or head.names >= {"modelId", "input.inputTokenCount"}:
        return 1.0
    if head.layout is not None and any(_MARK in each.replace(" ", "") for each in head.layout.columns):
        return 1.0
    is_events = head.names >= {"logEvents[].message", "logGroup"} or head.names >= {"events[].message", "events"}
    return 0.6 if is_events or head.has("@message") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    is_task_export = packed.head.layout is not None and not packed.head.has("@message", "modelId")
    found = _lines(packed) if is_task_export else documents(packed.log, packed.head)
    for each in found:
        if isinstance(each, Unfit):
            yield each
            continue
        for record in _records(each):
            yield _call(record) if isinstance(record, dict) else record


def _lines(packed: Packed) -> Iterator[dict[str, Any] | Unfit]:
    """Lines of a CloudWatch export task: a time, a blank, the record."""
    for batch in read_lines(packed.log):
        for reject in batch.rejects:
            yield Unfit(reject.reason, reject.value, reject.raw)
        for line in batch.rows["text"].to_pylist():
            yield _event(line[line.find("{") :] if "{" in line else line)


def _records(found: dict[str, Any]) -> Iterator[dict[str, Any] | Unfit]:
    """The records in what CloudWatch wraps around them: nothing, one event, or a list of events."""
    events = next((found[key] for key in ("logEvents", "events") if isinstance(found.get(key), list)), None)
    if events is not None:
        yield from (_event(each.get("message") if isinstance(each, dict) else each) for each in events)
        if not events:
            yield Unfit("a page without log events")
    elif "@message" in found:
        yield _event(found["@message"])
    elif "modelId" not in found and "message" in found:
        yield _event(found["message"])
    else:
        yield found


def _event(message: Any) -> dict[str, Any] | Unfit:
    record = parsed(message)
    if isinstance(record, dict):
        return record
    return Unfit("a log event that holds no model invocation", raw=shortened(text_in(message) or ""))


def _call(record: dict[str, Any]) -> Mapping[str, object] | Unfit:
    model = record.get("modelId")
    if not isinstance(model, str):
        return Unfit("no modelId: not a model invocation", raw=text_of(record))
    given, answer = object_in(record.get("input")), object_in(record.get("output"))
    bodies = objects_in(answer.get("outputBodyJson"))
    usages = [each for body in bodies for each in _usages(body)]
    tokens = _tokens(given, answer, usages)
    name = model.lower()
    if tokens["input_tokens"] is None and any(each in name for each in _PICTURES):
        return Unfit("a picture or a film was made: billed by the piece, not by tokens", model, text_of(record))
    said = first_of(bodies[0] if bodies else {}, "model") or _of_all(bodies, "message", "model")
    operation = str(record.get("operation") or "")
    return {
        "record_id": scalar(record.get("requestId")),
        "start_time": scalar(record.get("timestamp")),
        "operation": "embeddings" if "embed" in name else "chat",
        "endpoint": operation or None,
        "stream": operation.endswith("Stream") if operation else None,
        "request_model": model,
        "response_model": scalar(said),
        "model_key": None if "application-inference-profile/" in model and said else _resolved(model),
        "service_tier": _tier(record, bodies),
        "error_type": scalar(record.get("errorCode")),
        "api_key": scalar(object_in(record.get("identity")).get("arn")),
        **tokens,
        **_times(bodies),
        **_prompt(given, answer, bodies),
        **_tags(object_in(record.get("requestMetadata"))),
    }


def _resolved(model: str) -> str:
    """The id at the end of an ARN, which is what price lists name; an application's own profile stays whole."""
    if not model.startswith("arn:") or "application-inference-profile/" in model:
        return model
    return model.rpartition("/")[2] or model


def _usages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where the body of an answer, or one event of a stream, counts tokens."""
    yield from (
        object_in(each)
        for each in (
            body.get("usage"),
            object_in(body.get("message")).get("usage"),
            object_in(body.get("metadata")).get("usage"),
            body.get("amazon-bedrock-invocationMetrics"),
        )
        if isinstance(each, dict)
    )


def _tokens(given: Mapping[str, Any], answer: Mapping[str, Any], usages: list[Mapping[str, Any]]) -> dict[str, object]:
    split = next((object_in(each["cache_creation"]) for each in usages if each.get("cache_creation")), {})

    def counted(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
        own = first_of(record, *names)
        return own if own is not None else _last(first_of(each, *names) for each in usages)

    return {
        "input_tokens": counted(given, ("inputTokenCount", "inputTokens", "input_tokens")),
        "output_tokens": counted(answer, ("outputTokenCount", "outputTokens", "output_tokens")),
        "exclusive_cache_read_tokens": counted(given, _READS),
        "exclusive_cache_write_tokens": counted(given, _WRITES),
        "exclusive_cache_write_1h_tokens": split.get("ephemeral_1h_input_tokens"),
    }


def _last(values: Iterator[Any]) -> Any:
    """The last that is there: streams count up."""
    found = [each for each in values if each is not None]
    return found[-1] if found else None


def _times(bodies: list[Mapping[str, Any]]) -> dict[str, object]:
    measured = [object_in(body.get("amazon-bedrock-invocationMetrics")) for body in bodies]
    told = [object_in(body.get("metrics")) for body in bodies]
    return {
        "duration_ms": _last(first_of(each, "invocationLatency", "latencyMs") for each in (*measured, *told)),
        "ttft_ms": _last(each.get("firstByteLatency") for each in measured),
    }


def _prompt(given: Mapping[str, Any], answer: Mapping[str, Any], bodies: list[Mapping[str, Any]]) -> dict[str, object]:
    asked = parsed(given.get("inputBodyJson"))
    body = asked if isinstance(asked, dict) else {}
    configs = (body, *(object_in(body.get(key)) for key in ("inferenceConfig", "textGenerationConfig")))
    ended = [first_of(each, *_FINISH) for body in bodies for each in (body, object_in(body.get("delta")))]
    ended += [first_of(each, *_FINISH) for body in bodies for each in objects_in(body.get("results"))]
    is_elsewhere = asked is None and (given.get("inputBodyS3Path") or answer.get("inputBodyS3Path"))
    return {
        "prompt_text": text_in(asked),
        "max_tokens": next((found for each in configs if (found := first_of(each, *_LIMITS)) is not None), None),
        "finish_reason": scalar(_last(iter(ended))),
        "redaction": _ELSEWHERE if is_elsewhere else None,
    }


def _tier(record: Mapping[str, Any], bodies: list[Mapping[str, Any]]) -> object:
    told = record.get("serviceTier") or _of_all(bodies, "serviceTier")
    return scalar(told.get("type") if isinstance(told, dict) else told)


def _of_all(bodies: list[Mapping[str, Any]], *keys: str) -> Any:
    """The value at `keys` in the first body that has one."""
    for body in bodies:
        value: Any = body
        for key in keys:
            value = object_in(value).get(key)
        if value:
            return value
    return None


def _tags(metadata: Mapping[str, Any]) -> dict[str, object]:
    lowered = {str(key).lower().replace("-", "_"): value for key, value in metadata.items()}
    return {field: scalar(first_of(lowered, *names)) for field, names in _TAGS.items()}


_FIELDS: Final = (
    *("record_id", "start_time", "operation", "endpoint", "stream", "request_model", "response_model", "model_key"),
    *("service_tier", "error_type", "api_key", "input_tokens", "output_tokens", "exclusive_cache_read_tokens"),
    *("exclusive_cache_write_tokens", "exclusive_cache_write_1h_tokens", "duration_ms", "ttft_ms", "prompt_text"),
    *("max_tokens", "finish_reason", "redaction", *_TAGS),
)

IMPORTER = Importer(
    name="bedrock",
    title="AWS Bedrock model invocation log (S3 or CloudWatch)",
    shapes=frozenset({"jsonl", "json", "csv", "parquet"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("request_model",), ("input_tokens",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "aws.bedrock"},
    holds=Holds("request", prompts="optional", latency=True, first_token=True),
    concludes="Requests with tokens, cache and model. Latency only where the answer's body has it; no cost; prompts up "
    "to 100 KB where logging of text is on; an application inference profile hides its model.",
    unpack=_unpack,
)
