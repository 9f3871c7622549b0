"""Passed list: `GET /v1/models` answered by the only upstream, where the gateway has no models of its own."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.plan import Head, Refusal
from breakeven.gateway.relay.answers_of_ours import refusal_answer, whole_answer
from breakeven.gateway.relay.heads import AnswerHead
from breakeven.gateway.relay.state import RelayState, UnderWayClient
from breakeven.gateway.relay.upstream_connection import UpstreamConnection
from breakeven.gateway.upstream import Upstream

_LIST_MAX_BYTES: Final = 4 * 2**20


class PassedList:
    """One such request under way."""

    __slots__ = (
        "_answer",
        "_client",
        "_connection",
        "_head",
        "_held",
        "_is_over",
        "_pool",
        "_since_s",
        "_state",
        "_to",
    )

    def __init__(self, state: RelayState, client: UnderWayClient, head: Head, upstream: Upstream) -> None:
        self._state = state
        self._client = client
        self._head = head
        self._to = state.outgoing(upstream)
        self._pool = self._to.pool
        self._connection: UpstreamConnection | None = None
        self._answer: AnswerHead | None = None
        self._held: list[bytes] = []
        self._since_s = state.now_s
        self._is_over = False

    def begin(self) -> None:
        """Asks."""
        self._state.exchanges.add(self)
        connection = self._pool.take()
        if connection is None:
            self._pool.want(self)
        else:
            self.connected(connection)

    def look(self, now_s: float) -> None:
        """Ends what takes too long."""
        times = self._state.settings.timeouts
        if now_s - self._since_s > (times.connect_s if self._connection is None else times.first_byte_s):
            self._fail(504, "upstream_timeout", "The upstream did not answer in time.")

    def client_gone(self) -> None:
        """The client left."""
        self._drop()
        self._over()

    def client_full(self) -> None:
        """The answer is small."""

    def client_ready(self) -> None:
        """As above."""

    def connected(self, connection: UpstreamConnection) -> None:
        """There is a connection."""
        self._connection = connection
        connection.send(self, self._to.list_head(self._head))

    def not_connected(self) -> None:
        """There is none."""
        self._fail(502, "upstream_error", "The upstream could not be reached.")

    def answer_head(self, head: AnswerHead) -> None:
        """It answers."""
        self._answer = head

    def answer_data(self, data: bytes, chunk: bytes | None) -> None:  # noqa: ARG002
        """A piece of the list."""
        self._held.append(data)
        if sum(map(len, self._held)) > _LIST_MAX_BYTES:
            self._fail(502, "upstream_error", "The upstream's list of models is too large.")

    def answer_whole(self, head: AnswerHead, body: bytes) -> None:
        """Everything at once."""
        self._answer = head
        self._held.append(body)
        self.answer_end()

    def answer_end(self) -> None:
        """The list is whole."""
        self._connection = None
        answer, state = self._answer, self._state
        assert answer is not None
        status, body = answer.http_status, b"".join(self._held)
        if answer.is_encoded or not 200 <= status < 300:
            said = f"The upstream answered {status}."
            if status in (401, 403):
                said = f"The upstream refused the credentials of this request ({status})."
            self._fail(status if 400 <= status < 500 else 502, "upstream_error", said)
        else:
            self._tell(whole_answer(status, body, state.date_line, closes=self._client.closes))

    def answer_lost(self, is_stale: bool, is_malformed: bool) -> None:  # noqa: ARG002
        """It will not answer; a connection that was closed while idle is replaced."""
        self._connection = None
        if is_stale:
            self._pool.want(self)
        else:
            self._fail(502, "upstream_error", "The upstream closed the connection before its answer was whole.")

    def _fail(self, http_status: int, code: str, message: str) -> None:
        self._drop()
        refusal = Refusal(http_status, code, message)
        self._tell(refusal_answer(refusal, None, self._state.date_line, closes=self._client.closes))

    def _tell(self, data: bytes) -> None:
        if not self._is_over:
            self._over()
            self._client.write(data)
            self._client.answered(self)

    def _drop(self) -> None:
        if self._connection is None:
            self._pool.leave(self)
        else:
            self._connection.abort()
            self._connection = None

    def _over(self) -> None:
        self._is_over = True
        self._state.exchanges.discard(self)
