"""Response headers: what the gateway did with a request, said to the client in lines that no value breaks out of."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Plan

VALUE_MAX_COUNT: Final = 120
_KEPT_MAX_COUNT: Final = 4_096


class ResponseHeaders:
    """Makes them; what is the same for many requests is made once."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[str | None, ...], bytes] = {}

    def of(self, plan: Plan, attempt: Attempt | None) -> bytes:
        """Whole lines, each with its end; `attempt` is the one whose answer goes out."""
        name, kind = (None, "first") if attempt is None else (attempt.target.name, attempt.kind)
        same = (name, kind, plan.reason, plan.policy_hash, plan.task, plan.arm)
        lines = self._kept.get(same)
        if lines is None:
            if len(self._kept) >= _KEPT_MAX_COUNT:
                self._kept.clear()
            lines = self._kept[same] = _lines(name, kind, plan)
        count = 0 if attempt is None else attempt.number
        if plan.check is not None and count == 1:  # two were asked
            count = 2
        return b"%sx-breakeven-request-id: %s\r\nx-breakeven-attempts: %d\r\n" % (
            lines,
            header_value(plan.request_id),
            count,
        )


def _lines(model: str | None, kind: str, plan: Plan) -> bytes:
    told = {
        b"model": model,
        b"reason": plan.reason if kind == "first" else f"{kind}, after {plan.reason}",
        b"policy": None if plan.policy_hash is None else plan.policy_hash[:12],
        b"task": plan.task,
        b"arm": plan.arm,
    }
    return b"".join(b"x-breakeven-%s: %s\r\n" % (name, header_value(text)) for name, text in told.items() if text)


def header_value(text: str) -> bytes:
    """A value that fits one line of a head, whatever the text: printable ASCII, the rest as `?`, cut where too long.

    >>> header_value("group: task=a\\r\\nset-cookie: x=1")
    b'group: task=a??set-cookie: x=1'
    """
    return text[:VALUE_MAX_COUNT].encode("ascii", "replace").translate(_PRINTABLE).strip()


_PRINTABLE: Final = bytes(byte if 32 <= byte < 127 else ord("?") for byte in range(256))
