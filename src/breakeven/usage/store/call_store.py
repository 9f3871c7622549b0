"""CallStore: the Calls of a team as Parquet files by UTC day, `day=YYYY-MM-DD/`, with a manifest.

`ingest` adds logs, `calls` gives an Ibis expression over all Calls that count, `digest` a hash of what they say;
`bills` are amounts billed, `left_out` calls that another source tells too. Writing is atomic: new Parquet files are
written aside, then the manifest is replaced. Files that an import replaced stay until the store is closed, so that an
expression taken before it can still be answered.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from breakeven.errors import UsageError
from breakeven.usage.ingest_report import IngestReport, Progress
from breakeven.usage.overlap import has_long_buckets
from breakeven.usage.overlap_report import SourceOverlap, over_all_days
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store.analyst import DUCKDB, analyst_named
from breakeven.usage.store.daily_tables import DailyTables
from breakeven.usage.store.day_writer import DayFile, new_name
from breakeven.usage.store.digest import digest_of, file_sums
from breakeven.usage.store.engine import Engine
from breakeven.usage.store.intake import Intake, Staged
from breakeven.usage.store.lock import BRIEFLY_HELD_S, exclusive
from breakeven.usage.store.manifest import ImportedFile, Manifest, StoredFile, read_manifest, write_manifest
from breakeven.usage.store.merge import Repeats, find_repeats, rewrite, separate_twins
from breakeven.usage.store.placement import Placement
from breakeven.usage.store.vocabulary import read_vocabulary

if TYPE_CHECKING:
    import ibis

KEPT_FROM_ROWS: Final = 2_000_000
"""A store with fewer calls is summed up anew each time: that is quicker than many small files."""
FILES_PER_DAY_MAX: Final = 8
"""More Parquet files than this in one day are written together."""
_STAGING: Final = ".staging"


class CallStore:
    """A folder of Calls. Use as a context manager, or `close` it."""

    def __init__(self, path: Path, *, memory_limit_gib: float | None = None, engine: str = DUCKDB) -> None:
        """`engine` answers expressions over Calls: duckdb, spark, spark://HOST:PORT or sc://HOST:PORT."""
        analyst = analyst_named(engine)
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{path}: cannot keep calls there ({error.strerror}); name another folder") from None
        self.kept_from_rows = KEPT_FROM_ROWS
        self.daily_progress: Callable[[str], None] = lambda _: None
        self._has_imported = False
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._spill = path / f".spill-{os.getpid()}-{id(self):x}"
        self._engine = Engine(self._spill, memory_limit_gib)
        self._analyst = analyst or self._engine

    @classmethod
    def temporary(cls, *, engine: str = DUCKDB) -> CallStore:
        """A store that is gone when it is closed, for one question about one file."""
        folder = tempfile.TemporaryDirectory(prefix="breakeven-")
        try:
            store = cls(Path(folder.name), engine=engine)
        except BaseException:
            folder.cleanup()
            raise
        store._temporary = folder
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; remove Parquet files that imports replaced, or the whole of a temporary store."""
        self._engine.close()
        shutil.rmtree(self._spill, ignore_errors=True)
        if self._has_imported and self._temporary is None:
            with suppress(UsageError), exclusive(self.path):
                manifest = read_manifest(self.path)
                self._remove_strays(manifest.stored, manifest.texts)
        if self._temporary is not None:
            self._temporary.cleanup()

    def calls(self) -> ibis.Table:
        """All Calls that count, with the columns of `CALL_COLUMNS` and `day`: no bills, no traffic told twice."""
        return self._analyst.calls(self._paths(read_manifest(self.path).of_kind("calls")))

    def bills(self) -> ibis.Table:
        """Amounts billed, with the same columns."""
        return self._analyst.calls(self._paths(read_manifest(self.path).of_kind("bills")))

    def left_out(self) -> ibis.Table:
        """Calls that another source tells too and that do not count, with the same columns."""
        return self._analyst.calls(self._paths(read_manifest(self.path).of_kind("left out")))

    def texts(self) -> ibis.Table:
        """Prompts and answers that were kept on request: `record_id`, `system`, `prompt`, `response`."""
        return self._engine.texts([self.path / each for each in read_manifest(self.path).texts])

    def vocabulary(self) -> dict[int, str]:
        """Term hash -> word, for words that many calls have."""
        return read_vocabulary(self.path)

    @property
    def estimated_count(self) -> int:
        """Rows of the logs whose tokens were estimated from their texts."""
        return sum(each.estimated for each in read_manifest(self.path).imported)

    def overlaps(self) -> tuple[SourceOverlap, ...]:
        """Sources that saw the same traffic, which of them counts, and how far they agree."""
        return over_all_days(read_manifest(self.path).overlaps)

    def daily(self, name: str, key: str, expression: Callable[[ibis.Table], ibis.Table]) -> ibis.Table | None:
        """The rows of an additive `expression` over the calls of every day, each day summed up once and kept.

        None for a store so small that summing up anew is quicker, and where nothing can be written.
        """
        stored = read_manifest(self.path).of_kind("calls")
        if self._temporary is not None or not stored or sum(each.rows for each in stored) < self.kept_from_rows:
            return None
        self._paths(stored)
        tables = DailyTables(self.path, self._analyst.calls, self.daily_progress)
        try:
            return self._engine.table(tables.files(stored, name, key, expression))
        except OSError:
            return None

    def imported(self) -> tuple[ImportedFile, ...]:
        """The logs that were imported, oldest first."""
        return read_manifest(self.path).imported

    @property
    def calls_count(self) -> int:
        """Rows that `calls` gives."""
        return sum(each.rows for each in read_manifest(self.path).of_kind("calls"))

    @property
    def bills_count(self) -> int:
        """Rows that `bills` gives."""
        return sum(each.rows for each in read_manifest(self.path).of_kind("bills"))

    def digest(self) -> str:
        """A hash of what the Calls that count say, whatever the order, number and names of the files they came from."""
        manifest = read_manifest(self.path)
        counted = manifest.of_kind("calls")
        self._paths(counted)
        missing = [each for each in counted if each.digest is None]
        sums = file_sums(self._engine, self.path, [each.path for each in missing])
        stored = tuple(replace(each, digest=sums.get(each.path, each.digest)) for each in manifest.stored)
        if missing:
            with suppress(UsageError), exclusive(self.path):
                if read_manifest(self.path) == manifest:
                    write_manifest(self.path, replace(manifest, stored=stored))
        told = [each for each in stored if each.kind == "calls"]
        return digest_of([each.digest or "" for each in told], sum(each.rows for each in told))

    def ingest(
        self,
        paths: Path | Sequence[Path],
        *,
        now: datetime,
        settings: ImportSettings | None = None,
        reject_path: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
        is_separate: bool = False,
    ) -> IngestReport:
        """Add the Calls in files or folders.

        A single file that is no log, or empty, is a `UsageError`; inside a folder it is reported and left out.
        `reject_path` is where rejected rows go; by default below the store. `is_separate` says that no other source
        tells the calls in files of these names: they count beside whatever else there is.
        """
        paths = [paths] if isinstance(paths, Path) else list(paths)
        target = reject_path or self.path / "rejects" / f"{now:%Y%m%dT%H%M%S}.jsonl"
        with exclusive(self.path, BRIEFLY_HELD_S), _older_objects_left_alone():
            manifest = read_manifest(self.path)
            staging = self._fresh_staging()
            intake = Intake(self._engine, manifest, settings or ImportSettings(), staging, target, now, progress)
            try:
                for staged in intake.steps(paths):
                    before = read_manifest(self.path)
                    intake.committed(self._merge(before, staged, staging, is_separate=is_separate))
                report = intake.report()
            finally:
                shutil.rmtree(staging, ignore_errors=True)
            bills = self.bills_count - sum(each.rows for each in manifest.of_kind("bills"))
            return replace(report, bills=max(bills, 0), overlaps=self.overlaps())

    def _merge(self, manifest: Manifest, staged: Staged, staging: Path, *, is_separate: bool) -> Repeats:
        """Commit what was staged: days whose files change are written anew, then the manifest is replaced."""
        if staged.may_repeat and sum(each.status == "imported" for each in staged.tallies) > 1:
            separate_twins(self._engine, [each.path for each in staged.days])
        new = [each.path for each in staged.days]
        found = find_repeats(self._engine, new, self._paths(manifest.stored), may_repeat=staged.may_repeat)
        kept: list[StoredFile] = []
        by_day: dict[str, list[DayFile]] = {}
        for each in staged.days:
            by_day.setdefault(each.day.isoformat(), []).append(each)
        old_by_day: dict[str, list[StoredFile]] = {}
        for stored in manifest.stored:
            old_by_day.setdefault(stored.day.isoformat(), []).append(stored)
        for day in sorted({*by_day, *old_by_day}):
            kept += self._merged_day(old_by_day.get(day, []), by_day.get(day, []), found, staging)
        for text in staged.texts:
            (self.path / text).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (staging / text).replace(self.path / text)
        imported = (*manifest.imported, *staged.imported(found))
        separate = {each.name for each in imported if each.is_separate}
        if is_separate:
            separate |= {each.name for tally in staged.tallies for each in (tally, tally.twin) if each is not None}
        imported = tuple(replace(each, is_separate=each.name in separate) for each in imported)
        was_separate = {each.name for each in manifest.imported if each.is_separate}
        settled = self._settled(manifest, imported, kept, staging, look_again=separate != was_separate)
        texts = (*manifest.texts, *(each.as_posix() for each in staged.texts))
        write_manifest(self.path, replace(settled, texts=texts))
        self._has_imported = True
        staged.vocabulary.save(self.path)
        return found

    def _settled(
        self,
        before: Manifest,
        imported: tuple[ImportedFile, ...],
        kept: list[StoredFile],
        staging: Path,
        *,
        look_again: bool,
    ) -> Manifest:
        """The new manifest, rows of changed days in files of their kind; `look_again`: of all days."""
        changed = {each.day for each in {*before.stored} ^ {*kept}}
        days = {each.day for each in kept} if look_again else changed | _linked(changed, before, imported, kept)
        separate = {each.name for each in imported if each.is_separate}
        placement = Placement(self._engine, self.path, self._placed)
        found = placement.placed([each for each in kept if each.day in days], separate, staging)
        stored = (*(each for each in kept if each.day not in days), *found.stored)
        overlaps = (*(each for each in before.overlaps if each.day not in days), *found.overlaps)
        in_order = sorted(overlaps, key=lambda each: (each.day, each.counted, each.left_out))
        return Manifest(imported, tuple(sorted(stored, key=lambda each: (each.day, each.path))), tuple(in_order))

    def _merged_day(self, old: list[StoredFile], new: list[DayFile], found: Repeats, staging: Path) -> list[StoredFile]:
        """The files of one day after the merge; new ones are moved to their place."""
        paths = {self.path / each.path: each for each in old}
        touched = [path for path in paths if path in found.losers] + [each.path for each in new]
        if len(paths) + len(new) > FILES_PER_DAY_MAX:
            touched = [*paths, *(each.path for each in new)]
        result = [each for path, each in paths.items() if path not in touched]
        if not touched:
            return result
        day = (new or old)[0].day
        if len(touched) == 1 and touched[0] not in found.losers:
            return [*result, _looked_at(self._placed(touched[0], new[0].rows, day), new[0])]
        target = staging / "merged" / new_name()
        rows = rewrite(self._engine, touched, target)
        return [*result, self._placed(target, rows, day)] if rows else result

    def _placed(self, path: Path, rows: int, day: date) -> StoredFile:
        place = self.path / f"day={day}" / path.name
        place.parent.mkdir(exist_ok=True)
        path.replace(place)
        return StoredFile(place.relative_to(self.path).as_posix(), day, rows)

    def _remove_strays(self, kept: Sequence[StoredFile], texts: Sequence[str]) -> None:
        """Delete Parquet files that the manifest does not list: replaced ones, and what a crash left behind."""
        listed = {self.path / each.path for each in kept}
        for path in self.path.glob("day=*/calls-*.parquet"):
            if path not in listed:
                path.unlink()
        for path in self.path.glob("texts/day=*/texts-*.parquet"):
            if path.relative_to(self.path).as_posix() not in texts:
                path.unlink()

    def _fresh_staging(self) -> Path:
        staging = self.path / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        return staging

    def _paths(self, stored: Sequence[StoredFile]) -> list[Path]:
        paths = [self.path / each.path for each in stored]
        if missing := [path for path in paths if not path.exists()]:
            raise UsageError(f"{missing[0]}: the store lists this file and it is gone; import again into a new folder")
        return paths


def _looked_at(stored: StoredFile, new: DayFile) -> StoredFile:
    """With what its Calls have in common, where whoever wrote them knows it."""
    if new.source is None or new.grain is None:
        return stored
    return replace(stored, sources=(new.source,), kind="bills" if new.grain == "bill" else "calls")


@contextmanager
def _older_objects_left_alone() -> Iterator[None]:
    """The collector of garbage looks at new objects only: going through all that libraries hold takes longer than
    reading a hundred thousand rows."""
    if gc.get_freeze_count():  # somebody does so already
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _linked(
    changed: Set[date], before: Manifest, imported: Sequence[ImportedFile], kept: Sequence[StoredFile]
) -> set[date]:
    """Days that are settled together with the changed ones: those of reports by week or month."""
    days = {each.day for each in kept if any(map(has_long_buckets, each.sources or ()))}
    known = {each.sha256 for each in before.imported}
    formats = {each.settings.partition("|")[0] for each in imported if each.sha256 not in known}
    return days if days & changed or any(map(has_long_buckets, formats)) else set()
