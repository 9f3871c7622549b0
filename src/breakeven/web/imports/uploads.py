"""Uploads: logs that came through the browser: kept until they are imported, imported as `breakeven import` does.

An upload is a folder of the dashboard's own. Its logs are removed once they are in the store; an import that was
cancelled, failed or cut off can go on, since the store knows what it has.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from uuid import uuid4

from breakeven.errors import UploadError, UsageError
from breakeven.web import documents
from breakeven.web.jobs import Job, Say
from breakeven.web.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from breakeven.usage.ingest_report import IngestReport
    from breakeven.usage.plan import ImportSettings
    from breakeven.web.page import Desk

UPLOAD_MAX_BYTES: Final = 2 * 2**30
WAITING_MAX_BYTES: Final = 8 * 2**30
"""Of all uploads that are not in the store yet."""
FREE_MIN_BYTES: Final = 512 * 2**20
"""Room on the disk that an upload must leave."""
READERS_PATIENCE_S: Final = 20.0
CUT_OFF_S: Final = 12 * 3600.0
"""After this time an upload that never came whole is taken for cut off."""
PROMPTS: Final = ("drop", "redact", "keep")
_KEY: Final = re.compile(r"[0-9a-f]{32}")
_one_import = threading.Lock()

State = Literal["running", "done", "cancelled", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Choices:
    """How to read the logs: the options of `breakeven import`."""

    log_format: str = ""
    """Recognised by itself when empty."""
    prompts: str = "drop"
    maps: tuple[str, ...] = ()
    """FIELD=COLUMN."""
    sampling_rate: str = ""
    separate: bool = False
    vocabulary: bool = True

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Choices:
        """From the fields of the form."""
        maps = tuple(each.strip() for each in fields.get("maps", "").splitlines() if each.strip())
        return cls(
            fields.get("format", ""),
            fields.get("prompts", "drop"),
            maps,
            fields.get("sampling_rate", "").strip(),
            fields.get("separate") == "yes",
            fields.get("vocabulary", "yes") == "yes",
        )

    def settings(self) -> ImportSettings:
        """The same as the importer takes it; raises UploadError or UsageError for what makes no sense."""
        from breakeven.usage.importers import importer_named
        from breakeven.usage.plan import ImportSettings
        from breakeven.usage.prompts.texts import PromptsMode

        if self.prompts not in PROMPTS:
            raise UploadError(f"prompts '{self.prompts[:40]}': wanted drop, redact or keep")
        if self.log_format:
            importer_named(self.log_format)
        return ImportSettings(
            format=self.log_format or None,
            mapping=dict(_pair(each) for each in self.maps),
            salt=os.environ.get("BREAKEVEN_SALT", ""),
            sampled_fraction=_share(self.sampling_rate),
            prompts=cast(PromptsMode, self.prompts),
            vocabulary=self.vocabulary,
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload."""

    key: str
    folder: Path
    names: tuple[str, ...]
    choices: Choices
    result: dict[str, Any] | None = field(default=None)
    """What the import found, once it is done."""
    stopped: str = ""
    """What a cancelled import has left in the store, in words."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the logs lie, in the order in which they came."""
        return tuple(self.folder / "files" / name for name in self.names)

    @property
    def job_name(self) -> str:
        """Its job."""
        return f"import {self.key}"


def new_key() -> str:
    """Name of an upload that nobody can guess."""
    return uuid4().hex


def folder_of(desk: Desk, key: str) -> Path:
    """Where an upload lies."""
    return desk.project.kept / "uploads" / key


def check_room(desk: Desk, coming_bytes: int) -> None:
    """Raise UploadError where so much more cannot be kept."""
    waiting = desk.project.kept / "uploads"
    waiting.mkdir(parents=True, exist_ok=True, mode=0o700)
    _forget_cut_off(waiting)
    kept_bytes = sum(each.stat().st_size for each in waiting.rglob("*") if each.is_file())
    if kept_bytes + coming_bytes > WAITING_MAX_BYTES:
        raise UploadError(
            f"{kept_bytes / 2**30:.1f} GiB of earlier uploads are waiting; go on with them or discard them first"
        )
    if shutil.disk_usage(waiting).free < coming_bytes + FREE_MIN_BYTES:
        raise UploadError("the disk has no room for this upload; nothing was imported")


def _forget_cut_off(waiting: Path) -> None:
    """Remove what was on its way when a server died; what is on its way now is younger."""
    for folder in waiting.iterdir():
        if not (folder / "upload.json").exists() and time.time() - folder.stat().st_mtime > CUT_OFF_S:
            shutil.rmtree(folder, ignore_errors=True)


def keep_upload(folder: Path, key: str, names: tuple[str, ...], choices: Choices) -> Upload:
    """Note what came; from now on it can be imported, also by a server that starts later."""
    content = {"names": names, "choices": asdict(choices)}
    write_whole(folder / "upload.json", json.dumps(content).encode(), UploadError)
    return Upload(key, folder, names, choices)


def find_upload(desk: Desk, key: str) -> Upload:
    """The upload of that name; raises UploadError."""
    folder = folder_of(desk, key)
    if not _KEY.fullmatch(key) or not (folder / "upload.json").exists():
        raise UploadError("there is no such upload; it may have been discarded")
    content = json.loads((folder / "upload.json").read_text(encoding="utf-8"))
    said = {**content["choices"], "maps": tuple(content["choices"]["maps"])}
    return Upload(
        key,
        folder,
        tuple(content["names"]),
        Choices(**said),
        _read(folder / "result.json"),
        (_read(folder / "stopped.json") or {}).get("words", ""),
    )


def uploads(desk: Desk) -> list[Upload]:
    """All that are kept, the youngest first."""
    folder = desk.project.kept / "uploads"
    found = sorted(folder.glob("*/upload.json"), key=lambda each: -each.stat().st_mtime_ns)
    return [find_upload(desk, each.parent.name) for each in found if _KEY.fullmatch(each.parent.name)]


def state_of(desk: Desk, upload: Upload) -> tuple[State, Job | None]:
    """How far it is."""
    job = desk.jobs.last(upload.job_name)
    if upload.result is not None:
        return "done", job
    if job is not None and job.state in ("running", "failed", "cancelled"):
        return cast(State, job.state), job
    return ("cancelled" if upload.stopped else "interrupted"), None


def begin(desk: Desk, upload: Upload) -> Job:
    """Import it, or go on with importing it."""
    count = len(upload.names)
    title = f"Importing {upload.names[0]}" if count == 1 else f"Importing {count} files"
    return desk.jobs.start(upload.job_name, title, lambda say: _import(desk, upload, say))


def discard(desk: Desk, key: str) -> None:
    """Remove an upload and its logs; what of it is in the store stays there."""
    upload = find_upload(desk, key)
    job = desk.jobs.last(upload.job_name)
    if job is not None and job.state == "running":
        raise UploadError("it is being imported; cancel that first")
    shutil.rmtree(upload.folder, ignore_errors=True)


def _import(desk: Desk, upload: Upload, say: Say) -> str:
    from breakeven.clock import now
    from breakeven.usage.opened_calls import progress_text
    from breakeven.usage.store import CallStore
    from breakeven.web.jobs import Cancelled

    while not _one_import.acquire(timeout=0.5):
        say("waiting for another import to end")
    try:
        say("looking at the files")
        with CallStore(desk.project.store) as store:
            before_count = len(store.imported())
            try:
                report = store.ingest(
                    list(upload.files),
                    now=now(),
                    settings=upload.choices.settings(),
                    progress=lambda at: say(progress_text(at)),
                    is_separate=upload.choices.separate,
                )
            except Cancelled:
                _note_stopped(upload, len(store.imported()) - before_count)
                raise
            except UsageError as error:
                raise UsageError(_without_folder(str(error), upload)) from None
            finally:
                documents.drop_obsolete(desk)
                documents.wait_for_readers(desk, READERS_PATIENCE_S)
        found = json.dumps(told(report, upload.choices, desk.project.store), ensure_ascii=False)
        text = _without_folder(found, upload)
        write_whole(upload.folder / "result.json", text.encode(), UploadError)
        shutil.rmtree(upload.folder / "files", ignore_errors=True)
    finally:
        _one_import.release()
    _hash(desk, say)
    return text


def _without_folder(text: str, upload: Upload) -> str:
    """A person knows the file by its name, not by where the dashboard keeps it."""
    return text.replace(f"{upload.folder / 'files'}{os.sep}", "")


def _hash(desk: Desk, say: Say) -> None:
    """The hash that every document needs, now, so that the first page does not wait for it."""
    from breakeven.usage.store import CallStore

    say("hashing the calls")
    with CallStore(desk.project.store) as store:
        store.digest()


def _note_stopped(upload: Upload, kept_count: int) -> None:
    from breakeven.reports.import_wording import stopped_sentence

    words = f"stopped: {stopped_sentence(kept_count)}; going on continues where this one stopped"
    write_whole(upload.folder / "stopped.json", json.dumps({"words": words}).encode(), UploadError)


def told(report: IngestReport, choices: Choices, store: Path) -> dict[str, Any]:
    """What the page says: the document of `breakeven import --json`, and what the terminal prints beside it."""
    from breakeven.reports.import_wording import bills_sentence, counts_sentence, import_document, redaction_sentences
    from breakeven.usage.ingest_report import wanted_instead

    return {
        "document": import_document(report, store),
        "counts": counts_sentence(report),
        "files": [
            {
                "name": each.name,
                "status": each.status,
                "format": each.format,
                "rows_in": each.rows_in,
                "calls": each.calls,
                "duplicates": each.duplicates,
                "rejects": each.rejects_count,
                "note": "joined to its answers" if each.is_joined else each.note,
            }
            for each in report.files
        ],
        "reasons": [[count, f"{reason}{wanted_instead(reason)}"] for reason, count in report.rejects.items()],
        "examples": [
            {"file": each.file, "row": each.row, "reason": each.reason, "value": each.value} for each in report.examples
        ],
        "reject_file": report.reject_path.name if report.reject_path else "",
        "formats": list(report.formats),
        "bills": bills_sentence(report.bills),
        "warnings": [*report.warnings, *(each.sentence for each in report.overlaps)],
        "redaction": list(redaction_sentences()) if choices.prompts == "redact" else [],
        "keeps_words": choices.prompts == "keep",
    }


def reject_path(desk: Desk, upload: Upload) -> Path | None:
    """The file of its rejected rows; None: there is none, or not any more."""
    name = (upload.result or {}).get("reject_file", "")
    path = desk.project.store / "rejects" / name
    return path if name and Path(name).name == name and path.is_file() else None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UploadError(f"mapping '{text[:80]}': wanted FIELD=COLUMN, e.g. input_tokens=prompt_len")
    return name.strip(), value.strip()


def _share(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UploadError(f"sampling rate '{text[:40]}': wanted a number, e.g. 0.1") from None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
