"""One relay process of a benchmark: settings come pickled on stdin, SIGTERM ends it."""

from __future__ import annotations

import multiprocessing
import pickle
import sys

from breakeven.gateway.relay.process import main


class Silent:
    """Nobody waits for it."""

    def set(self) -> None:
        """Ready."""


if __name__ == "__main__":
    settings = pickle.load(sys.stdin.buffer)
    ours, theirs = multiprocessing.Pipe()
    main(settings, int(sys.argv[1]), Silent(), ours)
