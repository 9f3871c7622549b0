"""Residency: to which upstreams a request may go; in doubt to fewer, and where none is left it is refused.

All rules that hold are kept together: only upstreams that each of them names are left. A rule about words holds, too,
for what cannot be searched for words: images, files, tokens, references, a text too long. What goes wrong while a rule
is asked refuses the request.
"""

from __future__ import annotations

from collections.abc import Iterable

from breakeven.gateway.admission.conditions import Asked, Rule
from breakeven.gateway.config.settings import ResidencyRule

Upstreams = frozenset[str]
"""Names of upstreams; none in it: the request may go nowhere."""


class Residency:
    """All rules about where requests may go."""

    __slots__ = ("_rules", "has_rules")

    def __init__(self, rules: Iterable[ResidencyRule]) -> None:
        self._rules = [(Rule(each.when), frozenset(each.upstreams)) for each in rules]
        self.has_rules = bool(self._rules)

    def allowed(self, asked: Asked) -> Upstreams | None:
        """The upstreams that a request may go to; None: to all."""
        allowed: Upstreams | None = None
        for rule, upstreams in self._rules:
            try:
                holds = rule.holds(asked, if_unreadable=True)
            except Exception:  # whatever it was, the rule may have held
                return frozenset()
            if holds:
                allowed = upstreams if allowed is None else allowed & upstreams
        return allowed
