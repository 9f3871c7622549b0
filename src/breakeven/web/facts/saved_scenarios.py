"""Saved scenarios: what a person set with the sliders, kept as scenario files in `scenarios/` beside the project's own.

A saved scenario is the project's scenario file with the changes in it, so that `breakeven compare --scenario` gives the
same numbers; nothing is ever written over in silence.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from breakeven.decision.answers.changes import UTILISATION, Change, known_facts, parse_change
from breakeven.decision.scenario_edit import number_text, quoted, with_value
from breakeven.decision.scenario_yaml import parse_yaml
from breakeven.errors import EditConflict, ScenarioError
from breakeven.web.facts.history import Versions, content_of
from breakeven.web.jobs import Job
from breakeven.web.safe_names import safe_stem
from breakeven.web.whole_file import write_whole

if TYPE_CHECKING:
    from breakeven.web.page import Desk

FOLDER: Final = "scenarios"


@dataclass(frozen=True, slots=True)
class SavedScenario:
    """A file in the folder of saved scenarios."""

    name: str
    path: Path
    bytes_count: int
    changed_s: float
    """Seconds since 1970."""


def scenarios_folder(desk: Desk) -> Path:
    """Where they are."""
    return desk.project.scenario.parent / FOLDER


def saved_scenarios(desk: Desk) -> tuple[SavedScenario, ...]:
    """All of them, by name."""
    found = []
    for path in sorted(scenarios_folder(desk).glob("*.yaml")):
        if path.is_file() and path.stem == safe_stem(path.stem):
            status = path.stat()
            found.append(SavedScenario(path.stem, path, status.st_size, status.st_mtime))
    return tuple(found)


def find_saved(desk: Desk, name: str) -> SavedScenario:
    """The one of that name; raises ScenarioError with the names that there are."""
    every = saved_scenarios(desk)
    found = next((each for each in every if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in every[:12]) or "none are there yet"
        raise ScenarioError(f"no saved scenario has this name; saved are: {names}")
    return found


def save_as(desk: Desk, name: str, changes: Sequence[tuple[str, str]], *, overwrite: bool = False) -> SavedScenario:
    """Save the project's scenario with some changes (as `breakeven whatif` takes them) as ``scenarios/NAME.yaml``.

    Raises EditConflict where a file of that name is there and `overwrite` does not say otherwise; ScenarioError or
    UnknownName for a change that makes no sense.
    """
    stem = safe_stem(name)
    if not stem:
        raise ScenarioError("a saved scenario needs a name of letters or digits, e.g. cheaper-gpus")
    path = scenarios_folder(desk) / f"{stem}.yaml"
    text = scenario_with(desk, changes)
    _make_folder(path.parent)  # before the check: files that a scenario names are looked up from there
    _check(desk, path, text)
    with Versions(desk.project.kept / "edits").alone():
        if path.exists() and not overwrite:
            raise EditConflict(f"a scenario is saved as '{stem}' already; choose another name, or say that it may go")
        write_whole(path, text.encode(), ScenarioError)
    status = path.stat()
    return SavedScenario(stem, path, status.st_size, status.st_mtime)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"cannot make the folder {folder}: {error.strerror}; nothing was saved") from None


def delete_saved(desk: Desk, name: str) -> None:
    """Remove one; the project's own scenario is never among them."""
    write_whole(find_saved(desk, name).path, None, ScenarioError)


def scenario_with(desk: Desk, changes: Sequence[tuple[str, str]]) -> str:
    """The project's scenario with the changes, as the text of a saved one."""
    from breakeven.catalog.load import load_catalog
    from breakeven.web.documents import scenario

    said = scenario(desk)
    file = desk.project.scenario
    text = (content_of(file) or b"").decode("utf-8")
    catalog = load_catalog(said.as_of or desk.today())
    facts = known_facts(catalog, said)
    headroom = _headroom_ratio(desk) if any(name == UTILISATION for name, _ in changes) else None
    for change in (parse_change(name, value, facts, headroom) for name, value in changes):
        text = _applied(text, change, file)
    return _moved(text, file)


def _applied(text: str, change: Change, file: Path) -> str:
    """The text with one change."""
    if change.kind == "choice":
        said = str(change.value)
        plain = None if said.lower() in ("none", "") else number_text(said) if said.isdigit() else quoted(said)
        return with_value(text, (change.name,), plain, file)
    keys = ("overrides", change.name) if change.kind == "fact" else (change.name,)
    return with_value(text, keys, number_text(repr(float(change.value)).removesuffix(".0")), file)


def _headroom_ratio(desk: Desk) -> float | None:
    """Busiest minutes over their hour as the log shows them: what a utilisation is told by."""
    from breakeven.web.verdict.slider_session import session

    opened = session(desk)
    if isinstance(opened, Job):
        raise ScenarioError("the sliders are still being prepared; save again once they are")
    return opened.session.demand.burst_headroom_ratio


def _moved(text: str, file: Path) -> str:
    """The files that the scenario names lie one folder further up, seen from a saved one."""
    content, _ = parse_yaml(text, file)
    for key in ("audit", "outcomes"):
        if isinstance(content.get(key), str):
            text = with_value(text, (key,), quoted(_from_saved(content[key])), file)
    measured = content.get("measured")
    if isinstance(measured, list) and measured:
        told = ", ".join(quoted(_from_saved(str(each))) for each in measured)
        text = with_value(text, ("measured",), f"[{told}]", file)
    return text


def _from_saved(named: str) -> str:
    return named if Path(named).is_absolute() else Path(os.pardir, named).as_posix()


def _check(desk: Desk, path: Path, text: str) -> None:
    from breakeven.catalog.load import load_catalog
    from breakeven.decision.scenario import load_scenario

    said = load_scenario(path, text=text)
    said.facts(load_catalog(said.as_of or desk.today()))
