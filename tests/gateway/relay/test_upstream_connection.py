"""Upstream connections: whoever takes over an answer while its connection ends is the one who hears of the end."""

from __future__ import annotations

from typing import Any, cast

import pytest

from breakeven.gateway.relay.upstream_connection import UpstreamConnection


class Transport:
    """Keeps whether it was dropped."""

    def __init__(self) -> None:
        self.is_dropped = False

    def write(self, data: bytes) -> None:
        """As a transport."""

    def abort(self) -> None:
        """As a transport."""
        self.is_dropped = True


class Keeper:
    """A pool that forgets."""

    def released(self, connection: UpstreamConnection) -> None:
        """As a pool."""

    def gone(self, connection: UpstreamConnection) -> None:
        """As a pool."""


class Taker:
    """Counts how often it heard that there will be no more."""

    def __init__(self) -> None:
        self.lost_count = 0
        self.has_moved = False

    def answer_head(self, head: object) -> None:
        """As a taker."""

    def answer_data(self, data: bytes, chunk: bytes | None) -> None:
        """As a taker."""

    def answer_lost(self, is_stale: bool, is_malformed: bool) -> None:
        """As a taker."""
        self.lost_count += 1


class LastPiece:
    """A pipe whose piece fills the client when it leaves, so that another taker goes on with the stream."""

    def __init__(self, connection: UpstreamConnection, other: Taker) -> None:
        self._connection, self._other = connection, other
        self.moving: object = None
        self.departed_count = 0

    def passes(self, data: bytes) -> bool:
        """Nothing."""
        return False

    def depart(self) -> None:
        """As a pipe."""
        self.departed_count += 1
        self._connection.hand_on(cast(Any, self._other))


def test_whoever_goes_on_with_a_stream_while_its_connection_ends_hears_of_the_end() -> None:
    connection, transport = UpstreamConnection(Keeper()), Transport()
    connection.connection_made(cast(Any, transport))
    first, other = Taker(), Taker()
    connection.send(cast(Any, first), b"GET / HTTP/1.1\r\n\r\n")
    connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    pipe = LastPiece(connection, other)
    connection.pipe = cast(Any, pipe)
    connection.connection_lost(None)
    assert (first.lost_count, other.lost_count, pipe.departed_count) == (0, 1, 1)
    assert transport.is_dropped and connection.is_closed and connection.pipe is None


@pytest.mark.parametrize("is_malformed", [False, True])
def test_a_connection_that_ends_tells_its_taker_once(is_malformed: bool) -> None:
    connection, transport = UpstreamConnection(Keeper()), Transport()
    connection.connection_made(cast(Any, transport))
    taker = Taker()
    connection.send(cast(Any, taker), b"GET / HTTP/1.1\r\n\r\n")
    if is_malformed:
        connection.data_received(b"nothing of the kind")
    connection.connection_lost(None)
    assert taker.lost_count == 1 and connection.is_closed
