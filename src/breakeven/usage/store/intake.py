"""Intake: files in, checked Calls out into staging, rejects into their file, every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from breakeven.errors import UsageError
from breakeven.usage.importers import importers
from breakeven.usage.importers.importer import Importer
from breakeven.usage.ingest_report import FileReport, FileStatus, IngestReport, Progress, Reject
from breakeven.usage.plan import ImportSettings, Plan, is_huge, plan_for
from breakeven.usage.reading.files import log_files
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head, NotALog
from breakeven.usage.reading.lines import found_lines, read_lines
from breakeven.usage.reading.log_file import LogFile, open_log
from breakeven.usage.reading.read_ahead import ReadAhead
from breakeven.usage.reading.rows import RowBatch
from breakeven.usage.redact import label_or_hidden
from breakeven.usage.store.assembly_line import Assembled, AssemblyLine, Rejected
from breakeven.usage.store.chunk import Chunk
from breakeven.usage.store.day_writer import DayFile, DayWriter
from breakeven.usage.store.engine import Engine
from breakeven.usage.store.held_calls import HeldCalls
from breakeven.usage.store.line_finder import lines_found_fast
from breakeven.usage.store.manifest import ImportedFile, Manifest
from breakeven.usage.store.merge import Repeats
from breakeven.usage.store.prompt_reader import PromptReader
from breakeven.usage.store.reject_file import RejectFile
from breakeven.usage.store.settings_words import settings_differences
from breakeven.usage.store.statement import Statement, statement
from breakeven.usage.store.text_writer import TextWriter
from breakeven.usage.store.unfinished_rows import UnfinishedRows
from breakeven.usage.store.vocabulary import Vocabulary

STEP_BYTES: Final = 4 << 30
STEP_FILES: Final = 2_000
"""After so much an import commits what it has; a file is never split."""
CHUNK_BYTES: Final = 32 << 20
"""Rows are turned into Calls in chunks of about this much text."""


@dataclass(slots=True)
class Tally:
    """What one file has given so far."""

    name: str
    bytes_count: int = 0
    status: FileStatus = "imported"
    format: str = ""
    settings: str = ""
    sha256: str = ""
    rows_in: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    twin: Tally | ImportedFile | None = None
    """The same bytes, read before."""
    note: str = ""
    joined_by: str = ""
    """The format that joins this file to its own, as it does where one of those came with it."""
    unfinished_count: int = 0
    """Rows without tokens whose request has another row that tells them."""
    estimated_count: int = 0
    """Rows whose tokens were estimated from their texts."""
    is_unweighted_sample: bool = False
    """A sample, and nobody said of which size."""

    def report(self, duplicates: int, read: Set[str] = frozenset()) -> FileReport:
        """The counts for the user, given how many of the rows did not add a Call, and which formats were read."""
        rows_in, rejects, duplicates = self.rows_in, dict(self.rejects), duplicates + self.unfinished_count
        if self.twin is not None:
            rows_in = self.twin.rows if isinstance(self.twin, ImportedFile) else self.twin.rows_in
            rejects = dict(self.twin.rejects)
            duplicates = rows_in - sum(rejects.values())
        calls = rows_in - duplicates - sum(rejects.values())
        note = "" if self.joined_by in read else self.note
        return FileReport(self.name, self.status, self.format, rows_in, calls, duplicates, rejects, note)

    def entry(self, duplicates: int, now: datetime) -> ImportedFile:
        """What the manifest remembers."""
        report = self.report(duplicates)
        return ImportedFile(
            self.name,
            self.sha256,
            self.bytes_count,
            self.settings,
            report.rows_in,
            report.calls,
            report.duplicates,
            report.rejects,
            now.isoformat(),
            estimated=self.estimated_count,
        )


@dataclass(frozen=True, slots=True)
class Staged:
    """Calls waiting to be merged."""

    days: list[DayFile]
    tallies: list[Tally]
    now: datetime
    texts: list[Path]
    """Kept texts, by their path below staging."""
    vocabulary: Vocabulary
    may_repeat: bool
    """False where no two of the Calls have one request id."""

    def imported(self, found: Repeats) -> list[ImportedFile]:
        """The manifest's entries for the files that were read."""
        read = [each for each in self.tallies if each.status == "imported"]
        return [each.entry(found.duplicates.get(each.name, 0), self.now) for each in read]


class Intake:
    """One import."""

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        settings: ImportSettings,
        staging: Path,
        reject_path: Path,
        now: datetime,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._manifest = manifest
        self._settings = settings
        self._now = now
        self._progress = progress or (lambda _: None)
        self._writer = DayWriter(staging / "new")
        self._text_writer = TextWriter(staging)
        self._reader = PromptReader(settings)
        self._vocabulary = Vocabulary()
        self._held = HeldCalls()
        self._unfinished = UnfinishedRows()
        self._found = Repeats({}, {}, 0)
        self._line = AssemblyLine(engine, self._writer, self._reader, self._text_writer)
        self._hasher = ThreadPoolExecutor(1, "hash")
        self._rejects = RejectFile(reject_path, keeps_words=settings.prompts == "keep")
        self._tallies: list[Tally] = []
        self._staged_count = 0
        """Files that are in the steps given so far."""
        self._statements: dict[tuple[object, ...], Statement] = {}
        self._chunk = Chunk()
        self._dropped: Counter[str] = Counter()
        self._files: list[tuple[Path, str]] = []
        self._series: dict[str, list[tuple[LogFile, Head]]] = {}

    def steps(self, paths: Sequence[Path]) -> Iterator[Staged]:
        """Read all files below `paths` into staging; stop after every few gigabytes, so that they can be committed."""
        salt = self._settings.salt
        self._files = [(path, label_or_hidden(name, salt)) for path, name in log_files(paths)]
        self._writer.is_in_order = len(self._files) == 1
        if not self._files:
            raise UsageError(
                f"{', '.join(map(str, paths)) or 'nothing'}: no files there; wanted a log or a folder of logs"
            )
        if any(path.resolve() == self._rejects.path.resolve() for path, _ in self._files):
            raise UsageError(f"{self._rejects.path}: rejected rows may not be written over a log that is imported")
        is_alone = len(paths) == 1 and paths[0].is_file()
        with self._line, self._hasher, closing(self._rejects):
            for path, name in self._files:
                self._take_file(path, name, is_alone)
                self._report_progress()
                if self._is_step_full():
                    yield self._staged()
            last = self._staged()
        if all(each.status in ("not a log", "companion") for each in self._tallies):
            notes = "\n  ".join(each.note for each in self._tallies[:5])
            raise UsageError(f"{paths[0]}: no log in any of {len(self._files)} files\n  {notes}")
        yield last

    def committed(self, found: Repeats) -> None:
        """Note what the merge of one step found."""
        duplicates = {**self._found.duplicates}
        for name, count in found.duplicates.items():
            duplicates[name] = duplicates.get(name, 0) + count
        self._found = Repeats({}, duplicates, self._found.far_apart + found.far_apart)

    def _is_step_full(self) -> bool:
        fresh = self._tallies[self._staged_count :]
        return sum(each.bytes_count for each in fresh) >= STEP_BYTES or len(fresh) >= STEP_FILES

    def _staged(self) -> Staged:
        """What was read since the last step, on disk."""
        self._flush()
        self._book(self._line.rest())
        for _ in range(2):
            self._reject(self._unfinished.given_up())
        self._settle()
        self._book(self._line.rest())
        fresh, self._staged_count = self._tallies[self._staged_count :], len(self._tallies)
        vocabulary, self._vocabulary = self._vocabulary, Vocabulary()
        days, texts = self._writer.close(), self._text_writer.close()
        return Staged(days, fresh, self._now, texts, vocabulary, self._writer.ids.may_repeat())

    def _settle(self) -> None:
        """Send the Calls that were held back on their way, now with tokens."""
        by_name = {each.name: each for each in self._tallies}
        for calls, constants in self._held.settled():
            self._line.write(calls, constants)
        for name, count in self._held.counts.items():
            by_name[name].estimated_count = count

    def report(self) -> IngestReport:
        """What the import gave, after the merge."""
        found = self._found
        read = {each.format for each in self._tallies if each.status in ("imported", "already imported")}
        warnings = [*self._held.sentences()]
        if found.far_apart:
            warnings.append(
                f"{found.far_apart:,} request ids come back more than an hour apart. If the id column only numbers"
                " rows, import into a new store with --map record_id= (no id)."
            )
        if samples := [each.name for each in self._tallies if each.is_unweighted_sample]:
            warnings.append(
                f"{', '.join(samples[:3])}{', ...' if len(samples) > 3 else ''}: this format logs a sample of the"
                " calls, and no sampling rate was given: counts, tokens and spend are a lower bound. Import into a new"
                " store with --sampling-rate, the share that was logged, e.g. 0.1 (1 when all were)."
            )
        return IngestReport(
            tuple(each.report(found.duplicates.get(each.name, 0), read) for each in self._tallies),
            self._rejects.examples,
            self._rejects.path if self._rejects.count else None,
            dict(self._dropped),
            tuple(warnings),
        )

    def _take_file(self, path: Path, name: str, is_alone: bool) -> None:
        tally = Tally(name)
        self._tallies.append(tally)
        with ExitStack() as reading:
            try:
                log = open_log(path, name)
                tally.bytes_count = log.bytes_count
                head = head_of(log)
                if isinstance(head, NotALog):
                    tally.status = "empty" if head.is_empty else "not a log"
                    raise UsageError(f"{path}: {head.reason}")
                if not self._settings.format and (owner := _companion_of(head)) is not None:
                    tally.status, tally.joined_by = "companion", owner.name
                    raise UsageError(f"{path}: {owner.companion_note}")
                ahead = self._begun(log, head, tally, reading)
                plan = plan_for(log, head, self._settings, is_alone=is_alone)
            except (UsageError, OSError) as error:
                if is_alone:
                    raise UsageError(str(error)) from None
                tally.status = "not a log" if tally.status == "imported" else tally.status
                tally.note = str(error)
                return
            tally.format, tally.settings = plan.importer.name, self._settings.key(plan.importer.name)
            is_told = self._settings.sampled_fraction is not None or head.has("sampling_rate", "samplingRate", "weight")
            tally.is_unweighted_sample = plan.importer.is_sample and not is_told
            if self._may_be_known(tally):
                tally.sha256 = log.sha256()
                if not self._is_known(tally, path):
                    self._read(log, plan, tally)
            elif ahead is not None and plan.is_huge:
                self._read(replace(log, ahead=ahead), plan, tally)
                tally.sha256 = ahead.hexdigest()
            else:
                reading.close()
                digest = self._hasher.submit(log.sha256)
                self._read(log, plan, tally)
                tally.sha256 = digest.result()

    def _begun(self, log: LogFile, head: Head, tally: Tally, reading: ExitStack) -> ReadAhead | None:
        """Begin to read a large log of JSON lines, while it is planned how."""
        if head.shape != "jsonl" or not is_huge(log) or not log.is_read_as_it_lies or self._may_be_known(tally):
            return None
        return reading.enter_context(closing(ReadAhead(log.path, self._hasher)))

    def _companions(self, importer: Importer, path: Path) -> list[tuple[LogFile, Head]]:
        """The other files of this import that `importer` joins to `path`."""
        if importer.is_series:
            return [each for each in self._series_of(importer) if each[0].path != path]
        if importer.is_companion is None:
            return []
        found: list[tuple[LogFile, Head]] = []
        for other, name in self._files:
            if other == path:
                continue
            try:
                log = open_log(other, name)
                head = head_of(log)
            except (UsageError, OSError):
                continue
            if isinstance(head, Head) and importer.is_companion(head):
                found.append((log, head))
        return found

    def _series_of(self, importer: Importer) -> list[tuple[LogFile, Head]]:
        """All files of this import that `importer` takes for its own, looked for once."""
        if importer.name not in self._series:
            found = self._series[importer.name] = []
            for path, name in self._files:
                try:
                    log = open_log(path, name)
                    head = head_of(log)
                except (UsageError, OSError):
                    continue
                if isinstance(head, Head) and head.shape in importer.shapes and importer.confidence(head) > 0:
                    found.append((log, head))
        return self._series[importer.name]

    def _may_be_known(self, tally: Tally) -> bool:
        """Only files of one size can be the same; the others are hashed while they are read."""
        others = (each.bytes_count for each in self._tallies if each is not tally)
        return self._manifest.has_size(tally.bytes_count) or tally.bytes_count in others

    def _is_known(self, tally: Tally, path: Path) -> bool:
        """True when these bytes were imported before; then nothing of the file needs to be read."""
        twins = (each for each in self._tallies if each is not tally and each.sha256 == tally.sha256)
        tally.twin = self._manifest.find(tally.sha256) or next(twins, None)
        if tally.twin is None:
            return False
        if tally.twin.settings != tally.settings:
            changed = settings_differences(tally.twin.settings, tally.settings)
            raise UsageError(
                f"{path}: imported before in another way: {changed}."
                " The store would hold each call twice; import into a new store instead."
            )
        tally.status = "already imported"
        return True

    def _read(self, log: LogFile, plan: Plan, tally: Tally) -> None:
        for batch in self._batches(log, plan):
            tally.rows_in += batch.rows_count
            for raw in batch.rejects:
                tally.rejects[raw.reason] += 1
                self._rejects.add(Reject(log.name, raw.row, raw.reason, raw.value, raw.raw))
            if not self._chunk.takes(plan):
                self._flush()
            self._chunk.add(batch.rows, len(self._tallies) - 1, log.base_name, plan)
            if self._chunk.bytes_count >= CHUNK_BYTES:
                self._flush()
                self._report_progress()

    def _batches(self, log: LogFile, plan: Plan) -> Iterator[RowBatch]:
        if log.ahead is None:
            return plan.batches(log, self._companions(plan.importer, log.path))
        return read_lines(log, find=lines_found_fast if self._statement(plan).plain else found_lines)

    def _flush(self) -> None:
        """Hand the chunk to the assembly line; book what earlier ones gave."""
        chunk, self._chunk = self._chunk, Chunk()
        if chunk.plan is not None:
            names = [each.name for each in self._tallies]
            self._book(self._line.put(chunk, self._statement(chunk.plan), names))

    def _book(self, done: Iterator[Assembled]) -> None:
        for each in done:
            self._reject(lost for lost in each.rejects if lost.record_id is None)
            for row in self._unfinished.finished(each):
                self._tallies[row.file_no].unfinished_count += 1
            self._reject(self._unfinished.given_up())
            self._held.add(each.held, each.samples)
            if self._held.is_full:
                self._settle()
            self._dropped.update(each.dropped)
            if each.terms is not None:
                self._vocabulary.add(each.terms, self._reader.hasher)

    def _reject(self, lost: Iterable[Rejected]) -> None:
        for each in lost:
            self._tallies[each.file_no].rejects[each.reject.reason] += 1
            self._rejects.add(each.reject)

    def _statement(self, plan: Plan) -> Statement:
        if plan.statement_key not in self._statements:
            keeps_texts = self._settings.prompts != "drop"
            self._statements[plan.statement_key] = statement(plan, self._now, keeps_texts=keeps_texts)
        return self._statements[plan.statement_key]

    def _report_progress(self) -> None:
        done = len(self._tallies)
        rows_in = sum(each.rows_in for each in self._tallies)
        bytes_done = sum(each.bytes_count for each in self._tallies[: done - 1])
        self._progress(Progress(self._tallies[-1].name, done - 1, len(self._files), rows_in, bytes_done))


def _companion_of(head: Head) -> Importer | None:
    """The importer that joins such files to its own."""
    return next(
        (each for each in importers().values() if each.is_companion is not None and each.is_companion(head)), None
    )
