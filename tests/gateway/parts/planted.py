"""Planted truth: a client whose every call is known to succeed or not at each of two real servers.

A grammar in the request says what the model must answer, letter by letter; a server cuts its answers off at so many
tokens of its own, so the longer one is asked for, the fewer servers end it. `not_truncated` is the check: the answer's
success at a server is known before it is asked, and no server or gateway is told.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from gateway.parts.settings_for_tests import SECRET

Kind = Literal["easy", "middling", "hard"]
LETTERS: dict[Kind, int] = {"easy": 1, "middling": 5, "hard": 12}
BIG_TOKENS, SMALL_TOKENS = 9, 3
"""Where the two servers cut their answers off."""
CHECKS = {"default": {"not_truncated": True, "regex": "^a+$"}}
THREADS = 4
STREAMED_EVERY = 10
"""llama.cpp closes a connection after each stream though it says that it keeps it: whoever asks next may meet that."""


def succeeds(kind: Kind, model: str) -> bool:
    """Whether an answer comes whole: its letters and the end of it are a token each."""
    return LETTERS[kind] < (BIG_TOKENS if model == "big" else SMALL_TOKENS)


@dataclass
class Made:
    """One call as the client saw it."""

    kind: Kind
    user: str
    status: int
    request_id: str
    model: str
    """Who answered, by the gateway's word."""
    is_whole: bool
    """The answer was not cut off."""


@dataclass
class PlantedClient:
    """Makes calls whose kinds are drawn once, so that a client that goes on after a pause goes on with the same."""

    url: str
    middling_fraction: float
    hard_fraction: float = 0.1
    users: int = 400
    seed: int = 0
    made: list[Made] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def call(self, count: int) -> list[Made]:
        """So many calls, several at once; some are streamed."""
        shares = (1 - self.middling_fraction - self.hard_fraction, self.middling_fraction, self.hard_fraction)
        kinds = self._rng.choices(tuple(LETTERS), shares, k=count)
        todo = [
            (kind, f"user-{self._rng.randrange(self.users)}", at % STREAMED_EVERY == 0) for at, kind in enumerate(kinds)
        ]
        parts = [todo[at::THREADS] for at in range(THREADS)]
        found: list[list[Made]] = [[] for _ in parts]
        troubles: list[BaseException] = []

        def work(at: int) -> None:
            try:
                found[at] = self._on_one_connection(parts[at])
            except BaseException as trouble:
                troubles.append(trouble)

        threads = [threading.Thread(target=work, args=(at,)) for at in range(THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if troubles:
            raise troubles[0]
        made = [each for part in found for each in part]
        self.made += made
        return made

    def call_until(self, holds: Callable[[], bool], most: int, at_once: int = 100) -> None:
        """Calls until it holds, but no more than `most` in all."""
        while not holds() and len(self.made) < most:
            self.call(min(at_once, most - len(self.made)))

    def _on_one_connection(self, todo: Sequence[tuple[Kind, str, bool]]) -> list[Made]:
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        try:
            return [_asked(connection, *each) for each in todo]
        finally:
            connection.close()


def _asked(connection: http.client.HTTPConnection, kind: Kind, user: str, is_stream: bool) -> Made:
    body = {
        "model": "auto",
        "messages": [{"role": "user", "content": "hello"}],
        "grammar": f'root ::= "{"a" * LETTERS[kind]}"',
        "stream": is_stream,
        "user": user,
    }
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.read()
    return Made(
        kind,
        user,
        answer.status,
        answer.headers.get("x-breakeven-request-id", ""),
        answer.headers.get("x-breakeven-model", ""),
        b'"finish_reason":"stop"' in told,
    )
