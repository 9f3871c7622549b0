"""Label routes: what the buttons and keys of the label page do; each answers with the way back to it."""

from __future__ import annotations

import re
import secrets
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.audit.label_skips import skip, skip_file, unskip
from breakeven.audit.labelling import KEYS
from breakeven.audit.labels import WITHDRAWN, Judgement, append_label, label_file, own_last
from breakeven.clock import now
from breakeven.errors import AuditError
from breakeven.web.audit import desk as audit_desk
from breakeven.web.audit import label_pages
from breakeven.web.audit.label_walk import audit_now, walk
from breakeven.web.audit.people import People
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, Desk, View
from breakeven.web.replies import json_reply, page_reply, see_other, wants_json

PERSON_COOKIE: Final = "breakeven_person"
_PERSON: Final = re.compile(r"[0-9a-f]{16}")
YEAR_S: Final = 365 * 86_400
RECORD_ID_CHARACTERS: Final = 4_000
LABEL_PAGE: Final = "/audit/label"


async def label_shown(request: Request) -> Response:
    """The next call to judge."""
    person, desk = _person(request), request.app.state.desk
    people = people_of(request)

    def view(_ask: Ask) -> View | Job:
        if (missing := label_pages.state_or_none(desk)) is not None:
            return _no_calls(missing.words, missing.next_command)
        return label_pages.label_view(desk, people, person)

    response = await page_reply(request, "audit", view)
    response.set_cookie(PERSON_COOKIE, person, max_age=YEAR_S, samesite="strict", httponly=True, path="/")
    return response


async def label_given(request: Request) -> Response:
    """Keep a judgement; where somebody else judged the call meanwhile, and otherwise, both are shown."""
    person, desk = _person(request), request.app.state.desk
    form = await request.form()
    record_id, key = await _call_of(request), str(form.get("key", ""))
    if key not in KEYS:
        raise AuditError(f"key '{key[:20]}'; wanted 1 (a small model can), 2 (it cannot) or 3 (cannot tell)")
    seen_bytes = None if form.get("replace") == "yes" else _whole(str(form.get("seen", "")))
    theirs = await run_in_threadpool(_keep, desk, record_id, KEYS[key], person, seen_bytes)
    if theirs is None:
        return await _went_well(request, desk)
    if wants_json(request):
        told = {"type": "LabelConflict", "message": f"somebody else said meanwhile: {label_pages.WORDS[theirs]}"}
        return json_reply({"error": told}, 409)
    return await page_reply(
        request, "audit", lambda _: label_pages.conflict_view(desk, record_id, KEYS[key], theirs, key)
    )


async def label_skipped(request: Request) -> Response:
    """Show another call first; the terminal's walk does, too."""
    person, desk = _person(request), request.app.state.desk
    record_id = await _call_of(request)

    def put_off() -> None:
        _check_call(desk, record_id)
        skip(skip_file(desk.project.store), record_id, now(), person)

    await run_in_threadpool(put_off)
    return await _went_well(request, desk)


async def label_undone(request: Request) -> Response:
    """Take this person's youngest label back and show its call again; where somebody else changed it, nothing."""
    person, desk = _person(request), request.app.state.desk

    def undo() -> str | None:
        last = own_last(label_file(desk.project.store), person).label
        if last is not None:
            append_label(label_file(desk.project.store), last.record_id, WITHDRAWN, now(), person)
            unskip(skip_file(desk.project.store), last.record_id, now(), person)
        return None if last is None else last.record_id

    if (record_id := await run_in_threadpool(undo)) is not None:
        people_of(request).show_next(person, record_id)
    return await _went_well(request, desk)


async def label_taken_back(request: Request) -> Response:
    """Take back one label of the list, whoever gave it."""
    desk = request.app.state.desk
    record_id = await _call_of(request)

    def take_back() -> None:
        if record_id in label_pages.seen(desk).of_call:
            append_label(label_file(desk.project.store), record_id, WITHDRAWN, now(), _person(request))

    await run_in_threadpool(take_back)
    return json_reply({"ok": True}) if wants_json(request) else see_other("/audit/labels")


async def labels_used(request: Request) -> Response:
    """Save the audit as it is under the labels so far; where no walk is kept, run it."""
    desk = request.app.state.desk

    def use() -> None:
        found = walk(desk)
        if isinstance(found, Job):
            audit_desk.run(desk, audit_desk.settings(desk))
        else:
            audit_desk.save(desk, audit_now(desk, found, audit_desk.labels(desk)))

    await run_in_threadpool(use)
    return see_other("/audit")


async def labels_listed(request: Request) -> Response:
    """Every label, youngest first."""
    desk = request.app.state.desk

    def view(_ask: Ask) -> View | Job:
        if (missing := label_pages.state_or_none(desk)) is not None:
            return _no_calls(missing.words, missing.next_command)
        return label_pages.labels_view(desk)

    return await page_reply(request, "audit", view)


def people_of(request: Request) -> People:
    """Who labels in this dashboard; made when the first one comes."""
    state = request.app.state
    if not hasattr(state, "label_people"):
        state.label_people = People()
    people: People = state.label_people
    return people


def _keep(desk: Desk, record_id: str, judgement: Judgement, person: str, seen_bytes: int | None) -> Judgement | None:
    """None once the judgement is kept; what somebody else said meanwhile, where that differs."""
    _check_call(desk, record_id)
    place = label_file(desk.project.store)
    if append_label(place, record_id, judgement, now(), person, seen_bytes):
        return None
    theirs = label_pages.seen(desk).of_call.get(record_id)
    if theirs is None or theirs.person == person:
        append_label(place, record_id, judgement, now(), person)
        return None
    return None if theirs.judgement == judgement else theirs.judgement


def _check_call(desk: Desk, record_id: str) -> None:
    """Raise AuditError for a call that is not in the store."""
    found = walk(desk)
    if not isinstance(found, Job) and any(each.record_id == record_id for each in found.document.calls):
        return
    from breakeven.usage.store import CallStore

    with CallStore(desk.project.store) as store:
        calls = store.calls()
        if not calls.filter(calls.record_id == record_id).count().to_pyarrow().as_py():
            raise AuditError(f"call '{record_id[:80]}' is not in the store; open /audit/label to see the next one")


async def _went_well(request: Request, desk: Desk) -> Response:
    if not wants_json(request):
        return see_other(LABEL_PAGE)
    labels = await run_in_threadpool(audit_desk.labels, desk)
    return json_reply({"labels_count": len(labels)})


def _person(request: Request) -> str:
    """The browser; a new one until it brings its cookie along."""
    known = request.cookies.get(PERSON_COOKIE, "")
    return known if _PERSON.fullmatch(known) else secrets.token_hex(8)


async def _call_of(request: Request) -> str:
    """The call that a form names: by its key, which no id can break, else by its id."""
    form = await request.form()
    key, record_id = str(form.get("call", "")), form.get("record_id")
    found = await run_in_threadpool(label_pages.call_with_key, request.app.state.desk, key) if key else None
    if found is not None:
        return found
    if not isinstance(record_id, str) or not record_id or len(record_id) > RECORD_ID_CHARACTERS:
        raise AuditError("the form names no call; open /audit/label to see the next one")
    return record_id


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _no_calls(words: str, command: str) -> View:
    return View(
        "empty.html.j2",
        {
            "title": "No calls to judge yet",
            "missing": words,
            "commands": [("Import a log of yours", command)],
            "then": ("the 50 calls whose judgement narrows the answer most, one at a time",),
        },
    )


ROUTES: Final = (
    Route(LABEL_PAGE, label_shown),
    Route(LABEL_PAGE, label_given, methods=["POST"]),
    Route("/audit/label/skip", label_skipped, methods=["POST"]),
    Route("/audit/label/undo", label_undone, methods=["POST"]),
    Route("/audit/label/take-back", label_taken_back, methods=["POST"]),
    Route("/audit/label/use", labels_used, methods=["POST"]),
    Route("/audit/labels", labels_listed),
)
