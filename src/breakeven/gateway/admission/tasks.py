"""Tasks: what kind of work a request is: as its header says, else by the first rule that holds, else by its words."""

from __future__ import annotations

from collections.abc import Iterable

from breakeven.gateway.admission.conditions import Asked, Rule
from breakeven.gateway.admission.request_head import TASK, word
from breakeven.gateway.admission.routed_text import prompt_of
from breakeven.gateway.config.settings import TaskRule
from breakeven.routing.task_naming import TaskNaming


class Tasks:
    """Tells tasks."""

    __slots__ = ("_naming", "_rules")

    def __init__(self, rules: Iterable[TaskRule], naming: TaskNaming | None) -> None:
        self._rules = [(Rule(each.when), each.task) for each in rules]
        self._naming = naming

    def of(self, asked: Asked) -> tuple[str | None, str | None]:
        """The task of a request and who told it: `header`, `rule` or `classifier`; None where nobody can tell."""
        told = word(asked.told, TASK)
        if told is not None:
            return told, "header"
        for rule, task in self._rules:
            if rule.holds(asked, if_unreadable=False):
                return task, "rule"
        if self._naming is not None and (named := self._naming.name(prompt_of(asked.document))) is not None:
            return named, "classifier"
        return None, None
