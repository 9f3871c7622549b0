"""Import: usage logs by drag and drop, read as `breakeven import` reads them"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from breakeven.errors import UploadError
from breakeven.web import documents
from breakeven.web.guard import body_limit
from breakeven.web.imports.stream import FILES_COUNT, receive
from breakeven.web.imports.uploads import (
    UPLOAD_MAX_BYTES,
    Choices,
    Upload,
    begin,
    check_room,
    discard,
    find_upload,
    folder_of,
    keep_upload,
    new_key,
    reject_path,
    state_of,
    uploads,
)
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, Page, View
from breakeven.web.replies import json_reply, page_reply, see_other, wants_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from breakeven.web.page import Desk

SHOWN_COUNT: Final = 20
FORM_BYTES: Final = 2**20
"""What the fields of the form may take beside the files."""


def view(ask: Ask) -> View:
    """The form, uploads that are not done, and what was imported earlier."""
    return import_view(ask.desk)


def import_view(desk: Desk, error: str = "") -> View:
    """The same, with what was wrong."""
    from breakeven.reports.log_formats import log_formats

    found = documents.look(desk)
    open_uploads = [(each, *state_of(desk, each)) for each in uploads(desk) if each.result is None]
    return View(
        "import.html.j2",
        {
            "formats": log_formats(),
            "limit": f"{UPLOAD_MAX_BYTES / 2**30:.0f} GiB",
            "files_count": FILES_COUNT,
            "limit_bytes": UPLOAD_MAX_BYTES,
            "open_uploads": open_uploads,
            "imported": found.imported[::-1][:SHOWN_COUNT],
            "glance": found,
            "error": error,
        },
        400 if error else 200,
    )


def upload_view(ask: Ask, key: str) -> View:
    """How far one import is, or what it found."""
    from breakeven.reports.log_formats import log_formats

    upload = find_upload(ask.desk, key)
    state, job = state_of(ask.desk, upload)
    concludes = {each.name: each for each in log_formats()}
    result = upload.result or {}
    return View(
        "import_result.html.j2",
        {
            "upload": upload,
            "state": state,
            "job": job,
            "error": job.error if job else "",
            "result": result,
            "cannot": [concludes[name] for name in result.get("formats", []) if name in concludes],
            "has_rejects": reject_path(ask.desk, upload) is not None,
            "glance": documents.look(ask.desk),
        },
    )


def import_json(desk: Desk, key: str) -> Any:
    """The document of `breakeven import --json`, or the job that makes it."""
    upload = find_upload(desk, key)
    if upload.result is not None:
        return upload.result["document"]
    state, job = state_of(desk, upload)
    return job if job is not None else {"state": state, "words": upload.stopped}


async def _uploaded(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    try:
        upload = await _received(request, desk)
    except UploadError as error:
        if wants_json(request):
            raise
        words = desk.project.without_places(str(error))
        return await page_reply(request, "import", await run_in_threadpool(import_view, desk, words))
    job = begin(desk, upload)
    if wants_json(request):
        return json_reply({"url": f"/import/{upload.key}", "key": upload.key, "job": job.key}, 202)
    return see_other(f"/import/{upload.key}")


uploaded = body_limit(UPLOAD_MAX_BYTES + FORM_BYTES)(_uploaded)


async def _received(request: Request, desk: Desk) -> Upload:
    coming = request.headers.get("content-length", "0")
    await run_in_threadpool(check_room, desk, int(coming) if coming.isdigit() else 0)
    key = new_key()
    folder = folder_of(desk, key)
    try:
        received = await receive(request, folder / "files")
        choices = Choices.of(received.fields)
        choices.settings()
        names = tuple(each.name for each in received.files)
        return await run_in_threadpool(keep_upload, folder, key, names, choices)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def _one(request: Request) -> Response:
    key = request.path_params["key"]
    return await page_reply(request, "import", lambda ask: upload_view(ask, key))


async def _one_json(request: Request) -> Response:
    found = await run_in_threadpool(import_json, request.app.state.desk, request.path_params["key"])
    return json_reply(found)


async def _list_json(request: Request) -> Response:
    return json_reply(await run_in_threadpool(_listed, request.app.state.desk))


def _listed(desk: Desk) -> dict[str, Any]:
    found = documents.look(desk)
    return {
        "calls_count": found.calls_count,
        "bills_count": found.bills_count,
        "imported": [
            {"name": each.name, "rows": each.rows, "calls": each.calls, "imported_at": each.imported_at}
            for each in found.imported
        ],
        "uploads": [{"key": each.key, "state": state_of(desk, each)[0], "names": each.names} for each in uploads(desk)],
    }


async def _again(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    key = request.path_params["key"]
    upload = await run_in_threadpool(find_upload, desk, key)
    job: Job | None = begin(desk, upload) if upload.result is None else None
    if wants_json(request):
        return json_reply({"url": f"/import/{key}", "job": job.key if job else None}, 202)
    return see_other(f"/import/{key}")


async def _discarded(request: Request) -> Response:
    key = request.path_params["key"]
    await run_in_threadpool(discard, request.app.state.desk, key)
    return json_reply({"discarded": key}) if wants_json(request) else see_other("/import")


async def _rejects(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    upload = await run_in_threadpool(find_upload, desk, request.path_params["key"])
    path = await run_in_threadpool(reject_path, desk, upload)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type="application/x-ndjson", filename=f"rejects-{path.name}")


PAGE = Page(
    "import",
    "Import",
    90,
    "usage logs into the store; good rows are kept, bad ones counted, named and written aside",
    view,
    (
        Route("/import/upload", uploaded, methods=["POST"]),
        Route("/import/{key}", _one),
        Route("/import/{key}/again", _again, methods=["POST"]),
        Route("/import/{key}/discard", _discarded, methods=["POST"]),
        Route("/import/{key}/rejects", _rejects),
        Route("/api/import", _list_json),
        Route("/api/import/{key}", _one_json),
    ),
)
