"""Labelling: one walk through the calls to judge: what is shown now, what a key does, what an undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from breakeven.audit.label_choice import CallToLabel
from breakeven.audit.labels import WITHDRAWN, Judgement, append_label

KEYS: Final[dict[str, Judgement]] = {"1": "can", "2": "cannot", "3": "unsure"}
UNDO: Final = "u"
QUIT: Final = "q"
Step = Literal["judged", "undone", "nothing to undo", "quit", "unknown key"]


@dataclass(slots=True)
class Walk:
    """A person on the way through the calls; every judgement is written at once, so stopping loses nothing."""

    calls: Sequence[CallToLabel]
    file: Path
    now: Callable[[], datetime]
    _judged: list[Judgement] = field(default_factory=list)

    @property
    def current(self) -> CallToLabel | None:
        """The call to judge; None at the end."""
        return self.calls[len(self._judged)] if len(self._judged) < len(self.calls) else None

    @property
    def judged_count(self) -> int:
        """Judgements of this walk that stand."""
        return len(self._judged)

    def press(self, key: str) -> Step:
        """What a key does."""
        plain = key.strip().lower()
        if plain == QUIT:
            return "quit"
        if plain == UNDO:
            return self._undo()
        call = self.current
        if plain not in KEYS or call is None:
            return "unknown key"
        append_label(self.file, call.record_id, KEYS[plain], self.now())
        self._judged.append(KEYS[plain])
        return "judged"

    def _undo(self) -> Step:
        if not self._judged:
            return "nothing to undo"
        self._judged.pop()
        append_label(self.file, self.calls[len(self._judged)].record_id, WITHDRAWN, self.now())
        return "undone"
