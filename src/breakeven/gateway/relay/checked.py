"""Checked answer: what is whole passes the policy's checks first, and becomes a stream where the client wants one."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.wire.buffered_stream import streamed


class Comparing(Protocol):
    """Who compares an answer with another model's, on top of all other checks (`comparison.py`)."""

    def accepts(self, dispatch: Dispatch) -> bool:
        """Whether it passes them all."""
        ...


def checked(plan: Plan, dispatch: Dispatch, body: bytes, comparison: Comparing | None) -> bytes | None:
    """What the client may get of a whole answer; None: it cannot be said in a stream. `attempt.failure` says the rest.

    The checks come first: after an answer that they do not take the next model is asked, whatever can be made of it.
    """
    is_good = plan.answer_checks is None or plan.facts.is_stream or _is_good(plan, dispatch, comparison)
    out = streamed(plan.facts, body) if plan.is_buffered else body
    if not is_good:
        dispatch.attempt.failure = "rejected"
    elif out is None:
        dispatch.attempt.failure = "bad_answer"
    return out


def _is_good(plan: Plan, dispatch: Dispatch, comparison: Comparing | None) -> bool:
    if comparison is not None:
        return comparison.accepts(dispatch)
    assert dispatch.reader is not None
    answer = dispatch.reader.answer()
    return bool(plan.answer_checks(replace(answer, task=plan.task or "")).ok)
