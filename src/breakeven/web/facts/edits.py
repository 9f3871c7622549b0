"""Edits: changes of the scenario file from the dashboard: checked, one after the other, with undo, and never over
what somebody else wrote meanwhile.

Every change says which version of the file it was decided on. Where the file is another one by then, nothing is
written and `EditConflict` is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.decision.scenario_edit import number_text, quoted, with_value
from breakeven.errors import EditConflict, ScenarioError
from breakeven.web.facts.fact_boxes import FactValue, check_boxes, plain
from breakeven.web.facts.history import (
    OUTSIDE,
    History,
    Step,
    Versions,
    content_of,
    version_of,
)
from breakeven.web.facts.saved_scenarios import save_as
from breakeven.web.whole_file import write_whole

if TYPE_CHECKING:
    from breakeven.catalog.load import Catalog
    from breakeven.decision.scenario import Scenario
    from breakeven.web.page import Desk

__all__ = ["Edits", "FactValue", "save_as"]
NOTE_CHARACTERS_MAX = 500


class Edits:
    """The scenario file of a project as something that people change."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._file = desk.project.scenario
        self._versions = Versions(desk.project.kept / "edits")

    @property
    def version(self) -> str:
        """Version of the file now; it is kept, so that a page that shows it can be compared with it later."""
        return self._versions.keep(content_of(self._file))

    @property
    def history(self) -> History:
        """What was changed, oldest first. What was written outside since the last step is not in it yet."""
        return self._versions.read()

    @property
    def is_changed_outside(self) -> bool:
        """Whether somebody wrote the file by hand since the last change from here."""
        known = _standing(self._versions.read())
        return known is not None and known != version_of(content_of(self._file))

    def set(self, name: str, value: str | FactValue, version: str) -> str:
        """Give a fact another value; the new version. Raises ScenarioError or UnknownName, and EditConflict."""
        typed = FactValue(value) if isinstance(value, str) else value
        check_boxes(name, typed, _example(self._desk, name))
        return self._change(version, f"{name}: {_told(typed)}", lambda text: fact_set(text, name, typed, self._file))

    def reset(self, name: str, version: str) -> str:
        """Let the catalogue say the fact again; the new version."""
        return self._change(
            version,
            f"{name}: as the catalogue says",
            lambda text: with_value(text, ("overrides", name), None, self._file),
        )

    def choose(self, key: str, value: str, version: str) -> str:
        """Give a key of the scenario itself (gpu, region, open_model, ...) another value; the new version."""
        return self._change(
            version, f"{key}: {value}", lambda text: with_value(text, (key,), quoted(value), self._file)
        )

    def undo(self, version: str | None = None) -> str:
        """Take the last change back; the new version. Raises ScenarioError where there is none."""
        return self._move(-1, version)

    def redo(self, version: str | None = None) -> str:
        """Do again what was undone last; the new version."""
        return self._move(+1, version)

    def text_of(self, version: str) -> str | None:
        """The file's text at a version that was seen; None: it is not known."""
        if not self._versions.knows(version):
            return None
        return _decoded(self._versions.find(version), self._file)

    def override_at(self, version: str, name: str) -> Any:
        """What the file said of a fact at a version: a number, a range as a dict, or None."""
        from breakeven.decision.scenario_yaml import parse_yaml

        try:
            content, _ = parse_yaml(self.text_of(version) or "", self._file)
        except ScenarioError:
            return None
        overrides = content.get("overrides")
        return overrides.get(name) if isinstance(overrides, dict) else None

    def check(self, text: str) -> Scenario:
        """Read a text as the scenario file; raises what the loader would say of it."""
        return checked(text, self._file, lambda said: _catalog(self._desk, said))

    def _change(self, version: str, words: str, change: Callable[[str], str]) -> str:
        with self._versions.alone():
            now = content_of(self._file)
            if version_of(now) != version:
                raise EditConflict(
                    f"{self._file.name} is not what it was when you read it: somebody changed it since. "
                    "Nothing was written; look at both and apply yours again."
                )
            text = change(_decoded(now, self._file))
            self.check(text)
            after = text.encode()
            if after == (now or b""):
                return version
            return self._written(self._caught_up(now), now, after, words)

    def _written(self, history: History, before: bytes | None, after: bytes, words: str) -> str:
        step = Step(words, self._versions.keep(before), self._versions.keep(after), self._now())
        write_whole(self._file, after, ScenarioError)
        self._versions.write(history.with_step(step))
        return step.after

    def _move(self, by_count: int, version: str | None) -> str:
        with self._versions.alone():
            now = content_of(self._file)
            if version is not None and version_of(now) != version:
                raise EditConflict(
                    f"{self._file.name} is not what it was when you read it: somebody changed it since. "
                    "Nothing was taken back; look at what changed first."
                )
            history = self._caught_up(now)
            step = history.last if by_count < 0 else history.next
            if step is None:
                raise ScenarioError(
                    "there is nothing to undo" if by_count < 0 else "there is nothing to do again: a change came after"
                )
            target = step.before if by_count < 0 else step.after
            if not self._versions.knows(target):
                raise ScenarioError(f"the version before '{step.words}' is no longer kept; change the file by hand")
            write_whole(self._file, self._versions.find(target), ScenarioError)
            self._versions.write(history.moved(by_count))
            return target

    def _caught_up(self, now: bytes | None) -> History:
        """The history; where the file was written outside since, that is a step of its own."""
        history = self._versions.read()
        known = _standing(history)
        current = self._versions.keep(now)
        if known is None or known == current:
            return history
        return history.with_step(Step(OUTSIDE, known, current, self._now()))

    def _now(self) -> str:
        from breakeven.clock import now

        return now().isoformat(timespec="seconds")


def _standing(history: History) -> str | None:
    """The version that the last change from here left; None: nothing was changed from here."""
    if history.last is not None:
        return history.last.after
    return history.next.before if history.next is not None else None


def fact_set(text: str, name: str, value: FactValue, file: Path) -> str:
    """The scenario's text with a fact at `value`; a range that stands there keeps its form and its comments."""
    if len(value.note) > NOTE_CHARACTERS_MAX:
        raise ScenarioError(f"the note on '{name}' has {len(value.note):,} characters; at most {NOTE_CHARACTERS_MAX}")
    keys = ("overrides", name)
    leaves = _leaves(value)
    if _has_range(text, name, file):
        for leaf in ("low", "typical", "high", "source", "grade"):
            text = with_value(text, (*keys, leaf), leaves.get(leaf), file)
        return text
    if set(leaves) == {"low", "typical", "high"} and not value.is_range:
        return with_value(text, keys, leaves["typical"], file)
    return with_value(text, keys, "{" + ", ".join(f"{leaf}: {said}" for leaf, said in leaves.items()) + "}", file)


def checked(text: str, file: Path, catalog: Callable[[Scenario], Catalog]) -> Scenario:
    """Read a text as a scenario file, with every check that a comparison would make."""
    from breakeven.decision.scenario import load_scenario

    said = load_scenario(file, text=text)
    said.facts(catalog(said))
    return said


def _leaves(value: FactValue) -> dict[str, str]:
    ends = (value.low, value.high) if value.is_range else (value.typical, value.typical)
    found = {
        "low": number_text(ends[0]),
        "typical": number_text(value.typical),
        "high": number_text(ends[1]),
    }
    if value.note.strip():
        found["source"] = quoted(value.note.strip())
    if value.grade.strip():
        found["grade"] = quoted(value.grade.strip())
    return found


def _has_range(text: str, name: str, file: Path) -> bool:
    from breakeven.decision.scenario_yaml import parse_yaml

    content, _ = parse_yaml(text, file)
    overrides = content.get("overrides")
    return isinstance(overrides, dict) and isinstance(overrides.get(name), dict)


def _told(value: FactValue) -> str:
    words = (
        f"{value.low.strip()} to {value.typical.strip()} to {value.high.strip()}" if value.is_range else value.typical
    )
    return " ".join(words.split())[:120]


def _catalog(desk: Desk, said: Scenario) -> Catalog:
    from breakeven.catalog.load import load_catalog

    return load_catalog(said.as_of or desk.today())


def _example(desk: Desk, name: str) -> str:
    """What the catalogue says of a fact, as a person would type it; empty where it says nothing."""
    from breakeven.catalog.load import load_catalog

    fact = load_catalog(desk.today()).assumptions.get(name)
    return plain(fact.typical) if fact else ""


def _decoded(content: bytes | None, file: Path) -> str:
    try:
        return (content or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{file} is not UTF-8 text; `breakeven init` writes a scenario file") from None
