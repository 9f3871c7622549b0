"""Label pages: one call at a time to judge, what the labels so far make of the answer, and the list of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.label_skips import read_skips, skip_file
from breakeven.audit.labelling import KEYS, TERMINAL
from breakeven.audit.labels import Judgement, Label, bytes_of, label_file, own_last
from breakeven.audit.task import Audit
from breakeven.web import documents
from breakeven.web.audit import desk as audit_desk
from breakeven.web.audit.kept_texts import shown_calls
from breakeven.web.audit.label_walk import Walk, WalkCall, audit_now, tasks_of_labels, walk
from breakeven.web.audit.people import People
from breakeven.web.jobs import Job
from breakeven.web.marked_words import with_code
from breakeven.web.page import Desk, View

if TYPE_CHECKING:
    from breakeven.web.audit.kept_texts import ShownCall

WORDS: Final[dict[Judgement, str]] = {
    "can": "a small model can",
    "cannot": "it cannot",
    "unsure": "cannot tell",
}
BUTTONS: Final = tuple((key, f"{WORDS[said][0].upper()}{WORDS[said][1:]}") for key, said in KEYS.items())
TERMS_SHOWN_COUNT: Final = 24
LISTED_COUNT: Final = 500
SOON_COUNT: Final = 12
"""Calls whose texts are looked up together."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The labels at one moment."""

    labels: tuple[Label, ...]
    bytes_count: int
    """Of their file, as it was just before they were read."""

    @property
    def of_call(self) -> dict[str, Label]:
        """By record id."""
        return {each.record_id: each for each in self.labels}


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label in the list."""

    record_id: str
    key: str
    task: str
    said: str
    at: str
    who: str


def seen(desk: Desk) -> Seen:
    """Read the labels; whatever is written meanwhile counts as written since."""
    size = bytes_of(label_file(desk.project.store))
    return Seen(audit_desk.labels(desk), size)


def label_view(desk: Desk, people: People, person: str) -> View | Job:
    """The next call for this person."""
    found = walk(desk)
    if isinstance(found, Job):
        return found
    now = seen(desk)
    ids = [each.record_id for each in found.document.calls]
    put_off = read_skips(skip_file(desk.project.store))
    record_id = people.next_call(person, ids, now.of_call, put_off)
    audit = audit_now(desk, found, now.labels)
    context = _around(desk, found, now, audit, person) | {"others_count": people.others_count(person)}
    if record_id is None:
        return View("label_done.html.j2", context)
    call = next(each for each in found.document.calls if each.record_id == record_id)
    soon = [each for each in ids if each not in now.of_call][:SOON_COUNT]
    skips = {"is_put_off": record_id in put_off, "put_off_count": len({*put_off} & {*ids} - {*now.of_call})}
    return View("label.html.j2", context | _of_call(desk, call, audit, soon) | skips | {"seen": now.bytes_count})


def labels_view(desk: Desk) -> View | Job:
    """Every label, youngest first, whoever gave it; each can be taken back."""
    found = walk(desk)
    if isinstance(found, Job):
        return found
    labels = audit_desk.labels(desk)
    names = {each.id: each.name for each in found.document.audit.tasks}
    tasks = tasks_of_labels(desk, found, labels)
    rows = [
        LabelRow(
            each.record_id,
            key_of(each.record_id),
            names.get(tasks.get(each.record_id, ""), "a call that is not here"),
            WORDS[each.judgement],
            each.at,
            "dashboard" if each.person not in ("", TERMINAL) else "terminal",
        )
        for each in reversed(labels)
    ]
    return View("label_list.html.j2", {"rows": rows[:LISTED_COUNT], "more_count": max(len(rows) - LISTED_COUNT, 0)})


def conflict_view(desk: Desk, record_id: str, mine: Judgement, theirs: Judgement, key: str) -> View:
    """Somebody else judged the call meanwhile, and otherwise."""
    calls = shown_calls(desk, [record_id]) if audit_desk.keeps_texts(desk) else {}
    context = {
        "record_id": record_id,
        "call_key": key_of(record_id),
        "mine": WORDS[mine],
        "theirs": WORDS[theirs],
        "key": key,
        "shown": calls.get(record_id),
    }
    return View("label_conflict.html.j2", context, 409)


def key_of(record_id: str) -> str:
    """A name for a call that any form brings back as it was, whatever characters its id has.

    >>> len(key_of("a\\nb")), key_of("a") == key_of("a ")
    (24, False)
    """
    return hashlib.sha256(record_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def call_with_key(desk: Desk, key: str) -> str | None:
    """The call of this key, among those of the walk and those with a label."""
    found = walk(desk)
    ids = [] if isinstance(found, Job) else [each.record_id for each in found.document.calls]
    ids += [each.record_id for each in audit_desk.labels(desk)]
    return next((each for each in ids if key_of(each) == key), None)


def _around(desk: Desk, found: Walk, now: Seen, audit: Audit, person: str) -> dict[str, Any]:
    """Progress, and what the labels so far make of the answer."""
    from breakeven.reports import audit_rows, audit_wording

    ids = [each.record_id for each in found.document.calls]
    done = sum(each in now.of_call for each in ids)
    last = own_last(label_file(desk.project.store), person)
    return {
        "code": with_code,
        "done_count": done,
        "calls_count": len(ids),
        "labels_count": len(now.labels),
        "verdict": audit_wording.verdict_sentence(audit),
        "details": audit_wording.verdict_details(audit),
        "figures": audit_rows.figures(audit)[:4],
        "rows": [each for each in audit_rows.task_rows(audit, {}) if "label" in each.evidence][:8],
        "own_last": last.label,
        "is_last_lost": last.is_lost,
        "words": WORDS,
        "is_stale": audit_desk.labelled_since(desk) or audit_desk.saved_audit(desk) is None,
    }


def _of_call(desk: Desk, call: WalkCall, audit: Audit, soon: list[str]) -> dict[str, Any]:
    from breakeven.reports import amounts, audit_rows, audit_wording

    task = next(each for each in audit.tasks if each.id == call.task)
    shown: ShownCall | None = None
    if audit_desk.keeps_texts(desk):
        shown = shown_calls(desk, [call.record_id], soon).get(call.record_id)
    return {
        "call": call,
        "call_key": key_of(call.record_id),
        "task": task,
        "task_row": audit_rows.task_rows(audit, {})[audit.tasks.index(task)],
        "evidence": audit_wording.evidence_words(task),
        "facts": (
            ("model", call.model),
            ("when", amounts.date_text(call.start_time)),
            ("tokens", f"{call.input_tokens:,} in, {call.output_tokens:,} out"),
            *call.details,
        ),
        "terms": call.terms[:TERMS_SHOWN_COUNT],
        "shown": shown,
        "keeps_texts": audit_desk.keeps_texts(desk),
        "buttons": BUTTONS,
    }


def state_or_none(desk: Desk) -> documents.StoreState | None:
    """What is missing before anything can be labelled; None where nothing is."""
    state = documents.store_state(desk)
    return None if state.has_calls else state
