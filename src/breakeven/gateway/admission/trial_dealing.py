"""Trial dealing: which part of a policy's trial a request belongs to, and which arm its unit has there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.admission.reception import Received, hash_or_none, user_of
from breakeven.gateway.admission.request_head import MODEL, told_of, word
from breakeven.gateway.plan import Head, Operation
from breakeven.gateway.trial_terms import TrialTerms, terms_of
from breakeven.routing.trial import BASELINE_ARM, CANDIDATE_ARM, Trial, TrialPart
from breakeven.routing.trial_drawing import arm_of, is_copied

_HEADER_UNIT: Final = "header:"
_PLAIN_TOOLS: Final = frozenset({"function", "custom"})
_OF_A_CONVERSATION: Final = ("previous_response_id", "conversation")
TRIED: Final[frozenset[Operation]] = frozenset({"chat", "completions", "responses", "messages"})
"""What a trial deals with: what a policy decides."""


class TrialDealing:
    """The trial of one version of a policy."""

    __slots__ = ("_header", "_parts", "_terms", "trial")

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        is_header = trial.unit.startswith(_HEADER_UNIT)
        self._header = trial.unit.removeprefix(_HEADER_UNIT).lower().encode() if is_header else None
        self._parts = {part.task: part for part in trial.parts}
        self._terms: dict[str, TrialTerms] = {}

    def part_of(self, received: Received) -> TrialPart | None:
        """The part that a request belongs to; None: it is in no trial, as one that names its model by header."""
        if received.facts.operation not in TRIED or MODEL in received.told:
            return None
        return self._parts.get(received.task or "") or self._parts.get("")

    def terms(self, task: str | None) -> TrialTerms:
        """By what a task's answers are judged and kept."""
        named = task or ""
        if named not in self.trial.checks_by_task and named not in self._parts:
            named = ""  # tasks are named by clients: one for all that nobody else names
        found = self._terms.get(named)
        if found is None:
            found = self._terms[named] = terms_of(self.trial, named)
        return found

    def unit(self, head: Head, received: Received, request_id: str) -> tuple[str | None, str | None]:
        """What arms are drawn by, and the hash that is kept of who it is (the unit, else the user of the body).

        None where a request does not say whose it is: it is in no trial.
        """
        kind = self.trial.unit
        value: str | None
        if kind == "request":
            return request_id, hash_or_none(user_of(received.facts))
        if kind == "key":
            value = None if received.key is None else received.key.id
        elif kind == "session":
            value = received.session_id
        elif self._header is not None:
            value = word(told_of(head.headers, frozenset({self._header})), self._header)
        else:
            value = user_of(received.facts)
        return value, hash_or_none(value)

    def arm(self, part: TrialPart, unit: str | None) -> tuple[str, float] | None:
        """The arm of a unit in a canary, and the chance that it had of it; None: in no trial, or the trial rests."""
        share = part.share_fraction
        if unit is None or share <= 0:
            return None
        return arm_of(self.trial.pilot, unit, {CANDIDATE_ARM: share, BASELINE_ARM: 1 - share})

    def is_copied(self, part: TrialPart, document: Mapping[str, Any], unit: str | None, request_id: str) -> bool:
        """Whether the candidate of a shadow gets a copy of a request."""
        if unit is None or not is_copied(self.trial.pilot, request_id, part.share_fraction):
            return False
        return not acts_by_itself(document)


def acts_by_itself(document: Mapping[str, Any]) -> bool:
    """Whether answering a request changes something at the upstream, so that a copy would do it twice.

    Tools that the server runs (search, code, MCP) and conversations that it keeps do; tools that the client runs do
    not.

    >>> acts_by_itself({"tools": [{"type": "function", "function": {"name": "f"}}]})
    False
    >>> acts_by_itself({"tools": [{"type": "mcp", "server_label": "crm"}]})
    True
    """
    if any(document.get(name) is not None for name in _OF_A_CONVERSATION) or document.get("mcp_servers"):
        return True
    tools = document.get("tools")
    return isinstance(tools, list) and any(
        isinstance(tool, Mapping) and tool.get("type", "function") not in _PLAIN_TOOLS for tool in tools
    )
