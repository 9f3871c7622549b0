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

from breakeven.decision.answers.changes import Change, known_facts, parse_change
from breakeven.decision.scenario_edit import number_text, quoted, with_value
from breakeven.decision.scenario_yaml import parse_yaml
from breakeven.errors import EditConflict, ScenarioError
from breakeven.web.edit_history import content_of, write_whole
from breakeven.web.jobs import Job
from breakeven.web.safe_names import safe_stem

if TYPE_CHECKING:
    from breakeven.reports.document import AssumptionPart, Document
    from breakeven.web.page import Desk

FOLDER: Final = "scenarios"
WINDOW_RATIO: Final = "_window_volume_ratio"
"""End of the names of the facts that say how far the true volume lies from the one that was seen."""


@dataclass(frozen=True, slots=True)
class SavedScenario:
    """A file in the folder of saved scenarios."""

    name: str
    path: Path
    bytes_count: int
    changed_s: float
    """Seconds since 1970."""
    left_out: tuple[str, ...] = ()
    """Changes that no scenario file can hold, in words; known right after saving."""


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
    if path.exists() and not overwrite:
        raise EditConflict(f"a scenario is saved as '{stem}' already; choose another name, or say that it may go")
    text, left_out = scenario_with(desk, changes)
    _check(desk, path, text)
    write_whole(path, text.encode())
    status = path.stat()
    return SavedScenario(stem, path, status.st_size, status.st_mtime, left_out)


def delete_saved(desk: Desk, name: str) -> None:
    """Remove one; the project's own scenario is never among them."""
    write_whole(find_saved(desk, name).path, None)


def scenario_with(desk: Desk, changes: Sequence[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """The project's scenario with the changes, as a saved one's text, and what it cannot hold."""
    from breakeven.catalog.load import load_catalog
    from breakeven.web.documents import scenario

    file = desk.project.scenario
    text = (content_of(file) or b"").decode("utf-8")
    said = scenario(desk)
    catalog = load_catalog(said.as_of or desk.today())
    facts = known_facts(catalog, said)
    left_out: list[str] = []
    for each in (parse_change(key, value, facts) for key, value in changes):
        changed = _applied(desk, text, each, file)
        if changed is None:
            left_out.append(
                f"{each.said} = {each.value}: a scenario file holds no multiple of today's API price; write the prices "
                "you agreed on under contract_prices"
            )
        else:
            text = changed
    return _moved(text, file), tuple(left_out)


def _applied(desk: Desk, text: str, change: Change, file: Path) -> str | None:
    """The text with one change; None: a scenario file cannot say it."""
    if change.kind == "fact":
        return with_value(text, ("overrides", change.name), number_text(repr(float(change.value))), file)
    if change.kind == "choice":
        said = str(change.value)
        plain = None if said.lower() in ("none", "") else number_text(said) if said.isdigit() else quoted(said)
        return with_value(text, (change.name,), plain, file)
    if change.kind == "volume":
        return _at_volume(desk, text, float(change.value), file)
    return None


def _at_volume(desk: Desk, text: str, volume_mtok: float, file: Path) -> str:
    """Another volume as a multiple of what was seen: the range around what was seen moves with it."""
    from breakeven.web.documents import comparison

    document = comparison(desk)
    if isinstance(document, Job):
        raise ScenarioError("the options are still being compared; save again once that is done")
    fact = _window_ratio(document)
    scale = volume_mtok / document.breakeven.volume_mtok_per_month
    leaves = {
        "low": number_text(repr(fact.low * scale)),
        "typical": number_text(repr(fact.typical * scale)),
        "high": number_text(repr(fact.high * scale)),
        "source": quoted(f"set with the slider: {volume_mtok:,.6g} Mtok a month, {scale:.4g} times what was seen"),
        "grade": "guess",
    }
    told = "{" + ", ".join(f"{leaf}: {value}" for leaf, value in leaves.items()) + "}"
    return with_value(text, ("overrides", fact.name), told, file)


def _window_ratio(document: Document) -> AssumptionPart:
    found = next((each for each in document.assumptions if each.name.endswith(WINDOW_RATIO)), None)
    found = found or next((each for each in document.assumptions if each.name == "volume_over_observed_ratio"), None)
    if found is None:
        raise ScenarioError("this comparison does not say how its volume was found; compare again")
    return found


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
