"""Outgoing: the request as one upstream gets it: its path, and the client's bytes with as little changed as can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from breakeven.gateway.plan import Operation, Refusal, RequestFacts
from breakeven.gateway.upstream import Dialect, Target
from breakeven.gateway.wire.quirks import ANTHROPIC_VERSION, Quirks, quirks_of
from breakeven.gateway.wire.raw_object import quoted, rewritten, with_model
from breakeven.gateway.wire.translation.chat_to_messages import messages_request
from breakeven.gateway.wire.translation.exact_numbers import dumped, exactly
from breakeven.gateway.wire.translation.messages_to_chat import chat_request
from breakeven.gateway.wire.translation.untranslatable import Untranslatable

__all__ = ["Untranslatable", "asks_for_usage", "extra_headers", "outgoing_body", "outgoing_path", "too_deep"]

DIALECT_BY_OPERATION: Final[Mapping[Operation, Dialect]] = {
    "chat": "openai",
    "completions": "openai",
    "embeddings": "openai",
    "responses": "openai",
    "messages": "anthropic",
    "count_tokens": "anthropic",
}
PATH_BY_OPERATION: Final[Mapping[Operation, bytes]] = {
    "chat": b"/chat/completions",
    "completions": b"/completions",
    "embeddings": b"/embeddings",
    "responses": b"/responses",
    "messages": b"/messages",
    "count_tokens": b"/messages/count_tokens",
    "outcomes": b"/outcomes",
}
_UNSIGNED: Final = re.compile(rb'"signature"[ \t\r\n]*:[ \t\r\n]*""')
_TRANSLATED: Final[Mapping[Operation, Operation]] = {"chat": "messages", "messages": "chat"}


def upstream_operation(facts: RequestFacts, target: Target) -> Operation:
    """What the upstream is asked for: the client's operation, or its twin in the upstream's dialect."""
    operation = facts.operation
    if DIALECT_BY_OPERATION.get(operation, target.upstream.dialect) == target.upstream.dialect:
        return operation
    twin = _TRANSLATED.get(operation)
    if twin is None:
        raise Untranslatable(_no_twin(facts, target))
    return twin


def outgoing_path(facts: RequestFacts, target: Target) -> bytes:
    """The path at the upstream; Untranslatable where its dialect has no such operation."""
    prefix, operation = target.upstream.path_prefix, upstream_operation(facts, target)
    if (target.upstream.dialect == "anthropic" or operation == "outcomes") and not prefix.endswith(b"/v1"):
        prefix += b"/v1"  # base URLs of Anthropic's clients come without it
    return prefix + PATH_BY_OPERATION[operation]


def extra_headers(facts: RequestFacts, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """Headers that the upstream needs and this client did not send."""
    if target.upstream.dialect == "anthropic" and facts.operation not in ("messages", "count_tokens", "outcomes"):
        return ((b"anthropic-version", ANTHROPIC_VERSION),)
    return ()


def asks_for_usage(facts: RequestFacts, target: Target) -> bool:
    """Whether `stream_options.include_usage` is put in for us, so that the answer's usage is taken out again."""
    return (
        facts.is_stream
        and not facts.is_usage_asked
        and target.upstream.dialect == "openai"
        and quirks_of(target.upstream.quirks).usage == "ask"
    )


def outgoing_body(facts: RequestFacts, target: Target) -> bytes:
    """The body for that upstream: the very bytes of the client where nothing must change.

    Raises Untranslatable, with an answer for the client, for what the upstream's dialect cannot say.
    """
    operation = facts.operation
    if operation == "outcomes":
        return facts.body
    if DIALECT_BY_OPERATION[operation] != target.upstream.dialect:
        return _translated(facts, target)
    quirks = quirks_of(target.upstream.quirks)
    if operation == "responses" and not quirks.has_responses:
        raise Untranslatable(_no_responses(target, quirks))
    document, body = facts.document, facts.body
    if operation == "messages" and _has_unsigned(body):
        return _changed(facts, target, quirks, False)
    asks = facts.is_stream and not facts.is_usage_asked and quirks.usage == "ask"
    if (asks and "stream_options" in document) or (operation == "chat" and _is_refused(document, quirks)):
        return _changed(facts, target, quirks, asks)
    spliced = with_model(body, target.model)
    if spliced is None:
        return _changed(facts, target, quirks, asks)
    return with_usage_asked(spliced) if asks else spliced


def with_usage_asked(body: bytes) -> bytes:
    """A body without `stream_options`, asking for usage in its stream.

    >>> with_usage_asked(b'{"stream": true}')
    b'{"stream_options":{"include_usage":true},"stream": true}'
    """
    start = body.index(b"{") + 1
    return b"".join((body[:start], b'"stream_options":{"include_usage":true},', body[start:]))


def _is_refused(document: Mapping[str, Any], quirks: Quirks) -> bool:
    """Whether the body holds what that vendor refuses or calls by another name."""
    if quirks.dropped and not quirks.dropped.isdisjoint(document):
        return True
    if quirks.renamed and not document.keys().isdisjoint(quirks.renamed):
        return True
    return quirks.drops_message_names and _has_names(document.get("messages"))


def _has_names(messages: object) -> bool:
    return isinstance(messages, list) and any(isinstance(each, dict) and "name" in each for each in messages)


def _changed(facts: RequestFacts, target: Target, quirks: Quirks, asks: bool) -> bytes:
    """The body with some members at its top changed; the bytes of all others stay."""
    replaced: dict[str, bytes] = {"model": quoted(target.model)}
    is_chat = facts.operation == "chat"
    try:
        if asks:
            options = facts.document.get("stream_options")
            replaced["stream_options"] = orjson.dumps(
                {**(options if isinstance(options, dict) else {}), "include_usage": True}
            )
        if is_chat and quirks.drops_message_names and _has_names(facts.document.get("messages")):
            replaced["messages"] = orjson.dumps([_without_name(each) for each in facts.document["messages"]])
        if facts.operation == "messages" and _has_unsigned(facts.body):
            replaced["messages"] = orjson.dumps(_without_unsigned(facts.document.get("messages")))
        return rewritten(facts.body, replaced, quirks.dropped if is_chat else (), quirks.renamed if is_chat else None)
    except (orjson.JSONEncodeError, RecursionError) as problem:
        raise Untranslatable(too_deep()) from problem


def _without_name(message: object) -> object:
    if not isinstance(message, dict) or message.get("role") == "function":
        return message
    return {key: value for key, value in message.items() if key != "name"}


def _has_unsigned(body: bytes) -> bool:
    return body.find(b'"signature"') >= 0 and _UNSIGNED.search(body) is not None


def _without_unsigned(messages: object) -> object:
    """Messages without thinking that another vendor's model did: only Anthropic's own is signed and taken back."""
    if not isinstance(messages, list):
        return messages
    kept = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            content = [block for block in content if not _is_unsigned(block)]
            message = {**message, "content": content} if content else None
        if message is not None:
            kept.append(message)
    return kept


def _is_unsigned(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "thinking" and not block.get("signature")


_TRANSLATORS: Final[Mapping[Operation, Callable[[RequestFacts, Target], dict[str, Any]]]] = {
    "chat": messages_request,
    "messages": chat_request,
}


def _translated(facts: RequestFacts, target: Target) -> bytes:
    translator = _TRANSLATORS.get(facts.operation)
    if translator is None:
        raise Untranslatable(_no_twin(facts, target))
    try:
        document = exactly(facts.body, facts.document)
        if document is not facts.document:
            facts = replace(facts, document=document)
        return dumped(translator(facts, target))
    except (orjson.JSONEncodeError, RecursionError) as problem:
        raise Untranslatable(too_deep()) from problem


def _no_twin(facts: RequestFacts, target: Target) -> Refusal:
    wanted = DIALECT_BY_OPERATION[facts.operation]
    return Refusal(
        400,
        "not_translatable",
        f"`{facts.operation}` cannot be sent to model '{target.name}', whose upstream speaks {target.upstream.dialect} "
        f"only. Use a model of an upstream with `dialect: {wanted}`.",
    )


def _no_responses(target: Target, quirks: Quirks) -> Refusal:
    return Refusal(
        400,
        "not_translatable",
        f"Model '{target.name}' is served by {quirks.title}, which has no `/v1/responses`. Send it to "
        "`/v1/chat/completions`, or ask for another model.",
    )


def too_deep() -> Refusal:
    """A body that can be read, and not written again."""
    return Refusal(
        400, "invalid_json", "The body is nested too deeply to be changed for its upstream. Send a flatter one."
    )
