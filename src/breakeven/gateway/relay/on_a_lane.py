"""On a lane: what requests and streams on a lane have in common: what is not well with a client is an Exchange's."""

from __future__ import annotations

from abc import ABC, abstractmethod

from breakeven.gateway.relay.exchange import Exchange


class OnALane(ABC):
    """What is under way on a lane, until an Exchange takes its place."""

    __slots__ = ()

    def client_gone(self) -> None:
        """The client left."""
        self._exchange().client_gone()

    def client_full(self) -> None:
        """The client reads slowly; of a request, which has no answer yet, it has not read its last one."""
        self._exchange().client_full()

    def client_ready(self) -> None:
        """The client reads again."""
        self._exchange().client_ready()

    @abstractmethod
    def _exchange(self) -> Exchange:
        """The ordinary Exchange of what is under way, from now on in the place of this."""
