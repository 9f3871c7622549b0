"""Labelling: one walk through the calls to judge: what is shown now, what a key does, what an undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from breakeven.audit.label_choice import CallToLabel
from breakeven.audit.label_skips import read_skips, skip, skip_file, unskip
from breakeven.audit.labels import WITHDRAWN, Judgement, Label, append_label, bytes_of, read_labels

KEYS: Final[dict[str, Judgement]] = {"1": "can", "2": "cannot", "3": "unsure"}
UNDO: Final = "u"
SKIP: Final = "s"
QUIT: Final = "q"
TERMINAL: Final = "terminal"
"""The person of a label that was given in a terminal."""
Step = Literal["judged", "asked", "left", "undone", "skipped", "not yours", "nothing to undo", "quit", "unknown key"]


@dataclass(slots=True)
class Walk:
    """A person on the way through the calls; every judgement is written at once, so stopping loses nothing.

    Others may label the same calls meanwhile, in a browser or another terminal: the file is read again for each call.
    """

    calls: Sequence[CallToLabel]
    file: Path
    now: Callable[[], datetime]
    theirs: Judgement | None = None
    """What somebody else said of the call that is shown, while it was shown: the next key says which counts."""
    _judged: list[str] = field(default_factory=list)
    _shown: CallToLabel | None = None
    _seen_bytes: int = 0

    @property
    def current(self) -> CallToLabel | None:
        """The call to judge, the first without a label when it was shown first; None at the end.

        Those that somebody skipped, here or in a browser, come last.
        """
        if self._shown is None:
            standing = self._read()
            open_calls = {each.record_id: each for each in self.calls if each.record_id not in standing}
            put_off = [each for each in read_skips(self._skips) if each in open_calls]
            ahead = (each for each in open_calls if each not in set(put_off))
            first = next(iter((*ahead, *put_off)), None)
            self._shown = None if first is None else open_calls[first]
        return self._shown

    @property
    def judged_count(self) -> int:
        """Judgements of this walk, without those taken back."""
        return len(self._judged)

    def press(self, key: str) -> Step:
        """What a key does."""
        plain = key.strip().lower()
        if plain == QUIT:
            return "quit"
        if plain == UNDO:
            return self._undo()
        call = self.current
        if plain == SKIP and call is not None:
            return self._skip(call.record_id)
        if plain not in KEYS or call is None:
            return "unknown key"
        return self._judge(call.record_id, KEYS[plain])

    def _judge(self, record_id: str, judgement: Judgement) -> Step:
        if judgement == self.theirs:
            self._turn()
            return "left"
        while not append_label(self.file, record_id, judgement, self.now(), TERMINAL, self._seen_bytes):
            said = self._read().get(record_id)
            if said is None:  # judged meanwhile and taken back again: nobody's word is replaced
                continue
            if said.judgement == judgement:
                self._turn()
                return "left"
            self.theirs = said.judgement
            return "asked"
        self._judged.append(record_id)
        self._turn()
        return "judged"

    def _skip(self, record_id: str) -> Step:
        skip(self._skips, record_id, self.now(), TERMINAL)
        self._turn()
        return "skipped"

    def _undo(self) -> Step:
        """Take back the youngest judgement of this walk, unless somebody else's stands in its place, or none."""
        if not self._judged:
            return "nothing to undo"
        record_id = self._judged.pop()
        self._turn()
        while True:
            said = self._read().get(record_id)
            if said is None or said.person != TERMINAL:
                return "not yours"
            if append_label(self.file, record_id, WITHDRAWN, self.now(), TERMINAL, self._seen_bytes):
                unskip(self._skips, record_id, self.now(), TERMINAL)
                return "undone"

    @property
    def _skips(self) -> Path:
        return skip_file(self.file.parent)

    def _turn(self) -> None:
        self.theirs = self._shown = None

    def _read(self) -> dict[str, Label]:
        """The labels that stand now; whatever is written while they are read counts as written later."""
        self._seen_bytes = bytes_of(self.file)
        return {each.record_id: each for each in read_labels(self.file)}
