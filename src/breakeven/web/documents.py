"""Documents: what the pages show, made as the command line makes it and kept on the shelf until something changes.

A page asks `has_calls` first (or shows `store_state`), then takes a document: `comparison(desk)`, or one of its own
with `recipe` and `taken`. Every key holds what the document depends on: the calls, the catalogue, the scenario with
the files that it names, the audit and the outcomes, the date and the version.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from breakeven.errors import UsageError
from breakeven.web.jobs import Job, Say
from breakeven.web.shelf import Recipe

if TYPE_CHECKING:
    from pydantic import BaseModel

    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question
    from breakeven.reports.document import Document
    from breakeven.usage.store.glance import Glance
    from breakeven.web.page import Desk

Kind = TypeVar("Kind", bound="BaseModel")
PARSED_COUNT: Final = 16
"""Documents kept as objects; what was asked for longest ago goes first."""
_lock = threading.Lock()
_parsed: OrderedDict[tuple[str, str], BaseModel] = OrderedDict()
_digests: OrderedDict[tuple[str, int, int], str] = OrderedDict()
_latest: dict[str, Document] = {}
_readers = threading.Condition()
_reading_counts: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class StoreState:
    """What there is to compare."""

    kind: Literal["ready", "no store", "no calls", "bills alone"]
    words: str
    """One sentence for a person; empty when ready."""
    next_command: str
    """What brings calls; empty when ready."""

    @property
    def has_calls(self) -> bool:
        """True: a comparison can be made."""
        return self.kind == "ready"


def store_state(desk: Desk) -> StoreState:
    """Whether there are calls, and what to do where there are none; raises UsageError for a damaged store."""
    found = look(desk)
    command = "breakeven import YOUR-LOG"
    if not found.exists:
        return StoreState("no store", "Nothing was imported yet: there are no calls to look at.", command)
    if found.calls_count:
        return StoreState("ready", "", "")
    if found.bills_count:
        words = (
            f"There are {found.bills_count:,} bills and no calls: amounts say nothing of requests and tokens. Import a "
            "usage log as well."
        )
        return StoreState("bills alone", words, command)
    return StoreState("no calls", "No row of what was imported is a call, so there is nothing to look at.", command)


def look(desk: Desk) -> Glance:
    """The store as its manifest tells it; quick."""
    from breakeven.usage.store.glance import glance

    return glance(desk.project.store)


def has_calls(desk: Desk) -> bool:
    """Whether there is something to compare."""
    return look(desk).calls_count > 0


def scenario(desk: Desk) -> Scenario:
    """The scenario file, or the defaults where there is none, with the project's outcomes; raises ScenarioError."""
    from breakeven.decision.scenario import load_scenario

    path = desk.project.scenario
    found = load_scenario(path if path.exists() else None)
    return found.with_outcomes(desk.project.outcomes) if desk.project.outcomes else found


@contextmanager
def question(desk: Desk) -> Iterator[Question]:
    """What `breakeven compare` asks of this project; its store is open inside the `with` alone."""
    with question_about(desk, scenario(desk)) as asked:
        yield asked


@contextmanager
def question_about(desk: Desk, with_scenario: Scenario) -> Iterator[Question]:
    """The same under another scenario, e.g. a saved one."""
    from breakeven.reports.comparison_source import comparison_question
    from breakeven.usage.opened_calls import has_store, kept_calls, no_calls
    from breakeven.usage.store import CallStore

    folder = desk.project.store
    if not has_store(folder):
        raise no_calls(folder)
    called = desk.project.without_places(str(folder))
    with _reading(folder), CallStore(folder) as store:
        yield comparison_question(kept_calls(store, folder, called), with_scenario, desk.today())


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Count who has the calls open, so that an import does not take files away from under them."""
    key = str(folder.absolute())
    with _readers:
        _reading_counts[key] = _reading_counts.get(key, 0) + 1
    try:
        yield
    finally:
        with _readers:
            _reading_counts[key] -= 1
            _readers.notify_all()


def wait_for_readers(desk: Desk, patience_s: float) -> bool:
    """Until nobody has the calls open any more; False: somebody still has."""
    key = str(desk.project.store.absolute())
    with _readers:
        return _readers.wait_for(lambda: not _reading_counts.get(key), patience_s)


def calls_digest(desk: Desk) -> str | Job:
    """Hash of the calls; a Job on the first look after an import into a large store."""
    found = look(desk)
    if found.digest is not None:
        return found.digest
    key = _stamp(desk.project.store)
    with _lock:
        if key in _digests:
            return _digests[key]
    job = desk.jobs.start("hash of the calls", "Reading the calls", lambda say: _digest(desk.project.store, say))
    return str(job.result) if job.wait(0.25) and job.state == "done" else job


def parts(desk: Desk, digest: str, with_scenario: Scenario | None = None) -> tuple[str, ...]:
    """All that a document about calls with this hash depends on."""
    from breakeven.audit.saved import audit_file

    said = with_scenario or scenario(desk)
    if (kept := audit_file(desk.project.store)).exists():
        said = said.with_audit(kept, desk.project.without_places(str(kept)))
    found = look(desk)
    catalog_digest = _catalog_digest(desk, said)
    notes = json.dumps([found.estimated_count, found.is_synthetic, *(each.sentence for each in found.overlaps)])
    return (
        digest,
        catalog_digest,
        said.digest(),
        said.model_dump_json(),
        json.dumps(dict(said.places)),
        desk.today().isoformat(),
        str(desk.project.store),
        notes,
    )


def recipe(
    desk: Desk,
    name: str,
    title: str,
    make: Callable[[Question, Say], str],
    also: tuple[str, ...] = (),
    with_scenario: Scenario | None = None,
) -> Recipe | Job:
    """A document about the calls under the scenario, e.g. a profile; `also`: what else it depends on.

    A Job where the calls are still being read. Raises UsageError where there are no calls.
    """
    state = store_state(desk)
    if not state.has_calls:
        raise UsageError(f"{state.words} Next: {state.next_command}")
    said = with_scenario or scenario(desk)
    digest = calls_digest(desk)
    if isinstance(digest, Job):
        return digest
    made_of = parts(desk, digest, said)

    def made(say: Say) -> str:
        with question_about(desk, said) as asked:
            text = make(asked, say)
            if parts(desk, asked.store.digest(), said) != made_of:
                raise UsageError("what this is made of changed meanwhile, e.g. by an import; open the page again")
            return text

    return Recipe(name, title, (*made_of, *also), made)


def taken(desk: Desk, asked: Recipe | Job, kind: type[Kind]) -> Kind | Job:
    """The document that a recipe gives, or the job that makes it."""
    if isinstance(asked, Job):
        return asked
    place = (asked.key, kind.__name__)
    with _lock:
        if place in _parsed:
            _parsed.move_to_end(place)
            found = _parsed[place]
            assert isinstance(found, kind)
            return found
    text = desk.shelf.take(asked)
    if isinstance(text, Job):
        return text
    made = kind.model_validate_json(text)
    with _lock:
        _parsed[place] = made
        while len(_parsed) > PARSED_COUNT:
            _parsed.popitem(last=False)
    return made


def comparison_recipe(desk: Desk, with_scenario: Scenario | None = None) -> Recipe | Job:
    """The document of `breakeven compare --json` at this store and scenario file, to the byte."""

    def make(asked: Question, say: Say) -> str:
        from breakeven.reports.answer import answer
        from breakeven.reports.document import to_json
        from breakeven.reports.warm_up import warm_up

        warm_up(draws_charts=False)
        return to_json(answer(asked, say))

    return recipe(desk, "comparison", "Comparing the options", make, with_scenario=with_scenario)


def comparison(desk: Desk, asked: Recipe | Job | None = None) -> Document | Job:
    """The comparison that every page shows, or the job that makes it; `asked`: its recipe, where it is at hand.

    Raises UsageError where there are no calls.
    """
    from breakeven.reports.document import Document

    found = taken(desk, asked or comparison_recipe(desk), Document)
    if isinstance(found, Document):
        _latest[str(desk.project.store.absolute())] = found
    return found


def kept_comparison(desk: Desk) -> Document | None:
    """The comparison of things as they are where it is kept already; nothing is begun where it is not."""
    from breakeven.reports.document import Document

    if not has_calls(desk):
        return None
    asked = comparison_recipe(desk)
    if isinstance(asked, Job) or desk.shelf.peek(asked) is None:
        return None
    found = taken(desk, asked, Document)
    return found if isinstance(found, Document) else None


def latest_comparison(desk: Desk) -> Document | None:
    """The comparison that was shown last, however old; for what may be a little out of date, and says so."""
    return _latest.get(str(desk.project.store.absolute()))


def drop_obsolete(desk: Desk) -> None:
    """End comparisons and sliders under way: what they are made of has changed."""
    for job in desk.jobs.running():
        if job.name.startswith(("comparison ", "sliders ")):
            job.cancel(by_person=False)


def comparison_text(desk: Desk) -> str | Job:
    """The same as the JSON text that `breakeven compare --json` prints."""
    asked = comparison_recipe(desk)
    return asked if isinstance(asked, Job) else desk.shelf.take(asked)


def _digest(folder: Path, say: Say) -> str:
    from breakeven.usage.store import CallStore

    say("hashing the calls, once after each import")
    key = _stamp(folder)
    with CallStore(folder) as store:
        found = store.digest()
    with _lock:
        _digests[key] = found
        while len(_digests) > PARSED_COUNT:
            _digests.popitem(last=False)
    return found


def _stamp(folder: Path) -> tuple[str, int, int]:
    """Which manifest it is."""
    from breakeven.usage.store.manifest import MANIFEST_NAME

    status = (folder / MANIFEST_NAME).stat()
    return str(folder), status.st_mtime_ns, status.st_size


def _catalog_digest(desk: Desk, said: Scenario) -> str:
    from breakeven.catalog.load import load_catalog

    return load_catalog(said.as_of or desk.today()).digest
