"""How servers end a stream of chat chunks: every place in which usage was ever seen, and none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gateway.parts.answers import DONE, chat_answer, chat_chunk, event, plain, stream, usage, words
from gateway.parts.scripted_upstream import Asked, Step

Ending = Callable[[Asked, dict[str, Any]], list[bytes]]


def _own_chunk(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [
        event(chat_chunk(asked, {}, "stop")),
        event(chat_chunk(asked, {}) | {"choices": [], "usage": counted}),
        DONE,
    ]


def _in_finish_chunk(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [event(chat_chunk(asked, {}, "stop", usage=counted)), DONE]


def _with_choices(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    last = event(chat_chunk(asked, {"content": ""}, None, usage=counted))
    return [event(chat_chunk(asked, {}, "stop")), last, DONE]


def _finish_and_own(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    twice = event(chat_chunk(asked, {}) | {"choices": [], "usage": counted})
    return [event(chat_chunk(asked, {}, "stop", usage=counted)), twice, DONE]


def _no_choices_key(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [event(chat_chunk(asked, {}, "stop")), event({"object": "chat.completion.chunk", "usage": counted}), DONE]


def _groq(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [event(chat_chunk(asked, {}, "stop", x_groq={"id": "req_1", "usage": counted})), DONE]


def _deepseek(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    hit = counted["prompt_tokens_details"]["cached_tokens"]
    flat = {key: counted[key] for key in ("prompt_tokens", "completion_tokens", "total_tokens")}
    flat |= {"prompt_cache_hit_tokens": hit, "prompt_cache_miss_tokens": counted["prompt_tokens"] - hit}
    flat |= {"completion_tokens_details": counted["completion_tokens_details"]}
    return [event(chat_chunk(asked, {}, "stop", usage=flat)), DONE]


def _llama_cpp(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    timings = {"prompt_n": 1, "prompt_ms": 2.5, "predicted_n": counted["completion_tokens"], "predicted_ms": 9.0}
    last = chat_chunk(asked, {}) | {"choices": [], "usage": counted, "timings": timings}
    return [event(chat_chunk(asked, {}, "stop")), event(last), DONE]


def _no_last_newline(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    *others, done = _own_chunk(asked, counted)
    return [*others, done.rstrip(b"\n")]


def _carriage_returns(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [each.replace(b"\n", b"\r\n") for each in _own_chunk(asked, counted)]


def _comments(asked: Asked, counted: dict[str, Any]) -> list[bytes]:
    return [b": OPENROUTER PROCESSING\n\n", *_own_chunk(asked, counted)]


ENDINGS: dict[str, Ending] = {
    "own_chunk": _own_chunk,
    "in_finish_chunk": _in_finish_chunk,
    "with_choices": _with_choices,
    "finish_and_own": _finish_and_own,
    "no_choices_key": _no_choices_key,
    "groq": _groq,
    "deepseek": _deepseek,
    "llama_cpp": _llama_cpp,
    "no_last_newline": _no_last_newline,
    "carriage_returns": _carriage_returns,
    "comments": _comments,
}
"""By name: what follows the last word."""


def ending(asked: Asked, name: str, count: int = 9) -> Iterator[Step]:
    """A stream that ends in this way, or the plain answer of the same tokens."""
    if not asked.is_stream:
        yield plain(chat_answer(asked, count))
        return
    counted = usage(asked, count)
    said = [event(chat_chunk(asked, {"content": word})) for word in words(count)]
    yield from stream(
        [event(chat_chunk(asked, {"role": "assistant", "content": ""})), *said, *ENDINGS[name](asked, counted)]
    )


def unreported(asked: Asked, count: int = 9) -> Iterator[Step]:
    """No usage anywhere, streamed or not."""
    if asked.is_stream:
        said = [event(chat_chunk(asked, {"content": word})) for word in words(count)]
        yield from stream([*said, event(chat_chunk(asked, {}, "stop")), DONE])
        return
    answer = chat_answer(asked, count)
    del answer["usage"]
    yield plain(answer)


def cumulative(asked: Asked, count: int = 9) -> Iterator[Step]:
    """Usage in every chunk, counting up (vLLM's `continuous_usage_stats`)."""
    if not asked.is_stream:
        yield plain(chat_answer(asked, count))
        return
    whole = usage(asked, count)
    events = []
    for number, word in enumerate(words(count), 1):
        so_far = whole | {"completion_tokens": number, "completion_tokens_details": {"reasoning_tokens": number // 3}}
        events.append(event(chat_chunk(asked, {"content": word}, usage=so_far)))
    yield from stream([*events, event(chat_chunk(asked, {}, "stop", usage=whole)), DONE])
