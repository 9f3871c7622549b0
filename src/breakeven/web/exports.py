"""Exports: the comparison to take away: HTML, PDF, spreadsheet, JSON and Markdown, the files of `breakeven report`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from breakeven import __version__
from breakeven.errors import OutputError
from breakeven.web import documents
from breakeven.web.jobs import Job, Say
from breakeven.web.page import Ask, View
from breakeven.web.replies import json_reply, page_reply, see_other, wants_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from breakeven.reports.document import Document
    from breakeven.web.page import Desk

PATIENCE_S: Final = 6.0
"""A file that is made within this time is sent at once; a longer one is waited for on a page."""
FILES_COUNT: Final = 40
"""Files that are kept, the youngest."""


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of file."""

    kind: str
    title: str
    about: str
    media_type: str
    make: Callable[[Document, Path], None]
    missing: Callable[[], str] = lambda: ""
    """Why it cannot be made here and what to do; empty where it can."""


def _write_html(document: Document, path: Path) -> None:
    from breakeven.reports.html import render_html

    path.write_text(render_html(document), encoding="utf-8")


def _write_pdf(document: Document, path: Path) -> None:
    from breakeven.reports.pdf.render import render_pdf

    path.write_bytes(render_pdf(document))


def _write_xlsx(document: Document, path: Path) -> None:
    from breakeven.reports.spreadsheet import write_xlsx

    write_xlsx(document, path)


def _write_json(document: Document, path: Path) -> None:
    from breakeven.reports.document import to_json

    path.write_text(to_json(document), encoding="utf-8")


def _write_md(document: Document, path: Path) -> None:
    from breakeven.reports.markdown import render_markdown

    path.write_text(render_markdown(document), encoding="utf-8")


def _typst_missing() -> str:
    from breakeven.reports.pdf.typesetting import need_typst

    try:
        need_typst()
    except OutputError as error:
        return str(error)
    return ""


EXPORTS: Final = (
    Export("html", "Web page", "The whole report in one file, with charts; opens anywhere.", "text/html", _write_html),
    Export(
        "pdf",
        "PDF",
        "Two pages: one for finance, one for engineering.",
        "application/pdf",
        _write_pdf,
        _typst_missing,
    ),
    Export(
        "xlsx",
        "Spreadsheet",
        "With live formulas: change an assumption and watch the sums.",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _write_xlsx,
    ),
    Export(
        "json", "JSON", "The document itself, as breakeven compare --json prints it.", "application/json", _write_json
    ),
    Export("md", "Markdown", "For a pull request or a wiki.", "text/markdown", _write_md),
)


def export_view(ask: Ask) -> View | Job:
    """What can be taken away; with `wait` one of them that is being made."""
    state = documents.store_state(ask.desk)
    if not state.has_calls:
        commands = [("Import", state.next_command)]
        context = {"title": "Nothing to take away yet", "missing": state.words, "commands": commands}
        return View("empty.html.j2", context)
    document = documents.comparison(ask.desk)
    if isinstance(document, Job):
        return document
    wanted = next((each for each in EXPORTS if each.kind == ask.query.get("wait")), None)
    if wanted:
        made = made_file(ask.desk, wanted)
        if isinstance(made, Job) and made.state != "done":
            return made
    rows = [(each, each.missing()) for each in EXPORTS]
    return View("export.html.j2", {"rows": rows, "ready": wanted, "footer": document.footer})


def made_file(desk: Desk, export: Export, patience_s: float = 0.3) -> Path | Job:
    """The file, or the job that makes it (or, before that, the comparison). Raises OutputError where it cannot be."""
    if missing := export.missing():
        raise OutputError(missing)
    text = documents.comparison_text(desk)
    if isinstance(text, Job):
        return text
    folder = desk.project.kept / "exports"
    key = hashlib.sha256(f"{__version__}\0{text}".encode()).hexdigest()[:24]
    path = folder / f"{key}.{export.kind}"
    if path.exists():
        return path
    document = documents.comparison(desk)
    if isinstance(document, Job):
        return document
    name = f"export-{export.kind} {key}"
    last = desk.jobs.last(name)
    if last is not None and last.state in ("failed", "cancelled"):
        return last
    job = desk.jobs.start(name, f"Making the {export.title}", lambda say: _made(document, export, path, say))
    job.wait(patience_s)
    return path if path.exists() else job


async def _download(request: Request) -> Response:
    kind = request.path_params["kind"]
    export = next((each for each in EXPORTS if each.kind == kind), None)
    if export is None:
        raise HTTPException(404)
    made = await run_in_threadpool(made_file, request.app.state.desk, export, PATIENCE_S)
    if isinstance(made, Job):
        return json_reply(made) if wants_json(request) else see_other(f"/export?wait={export.kind}")
    name = f"breakeven-report.{export.kind}"
    return FileResponse(made, media_type=export.media_type, filename=name)


async def _page(request: Request) -> Response:
    return await page_reply(request, "facts", export_view)


def _made(document: Document, export: Export, path: Path, say: Say) -> None:
    say("drawing the report" if export.kind == "html" else "writing the file")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"half-{path.name}")
    try:
        export.make(document, half)
        say("done")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    kept = sorted(path.parent.glob("*.*"), key=lambda each: each.stat().st_mtime_ns)
    for old in kept[:-FILES_COUNT]:
        old.unlink(missing_ok=True)


ROUTES: Final = (Route("/export", _page), Route("/export/report.{kind}", _download))
