"""Policy desk: the project's policy, one that was learnt and is not in use yet, and the one that was in use before.

What is learnt from the page lies beside until a person puts it in use; whatever it replaces is kept and can come back.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from breakeven.errors import BreakevenError, EditConflict, PolicyError
from breakeven.routing.policy_file import ARRAYS_NAME, JSON_NAME, LoadedPolicy, hash_without_trial, load, save

if TYPE_CHECKING:
    from breakeven.reports.learn_answer import LearnRequest
    from breakeven.reports.routing_document import LearnDocument
    from breakeven.web.jobs import Job, Say
    from breakeven.web.page import Desk
    from breakeven.web.project import Project

LEARN_JOB: Final = "learn-policy"
OUTCOME_SUFFIXES: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
FILES_MAX_COUNT: Final = 40
_HEAD_BYTES: Final = 20_000
_SUCCESS: Final = ("success", "score", "outcome", "correct")
_CURVE: Final = "curve.svg"
_FILES: Final = (JSON_NAME, ARRAYS_NAME, "report.json")
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What there is."""

    kind: Literal["none", "damaged", "ready"]
    error: str = ""
    """Why the policy cannot be used, in the loader's words."""
    loaded: LoadedPolicy | None = None
    report: LearnDocument | None = None
    """Of this policy; None where there is none, or it is of another."""
    report_words: str = ""
    """Why there is no report."""

    @property
    def version(self) -> str:
        """Names what is there, also where it is damaged or nothing."""
        return self.loaded.hash if self.loaded else self.kind


def policy_state(folder: Path) -> PolicyState:
    """The policy in a folder with its report."""
    return _state(folder, _stamps(folder))


@lru_cache(maxsize=8)
def _state(folder: Path, _changed: tuple[object, ...]) -> PolicyState:
    """Read once until a file of the folder is another one."""
    if not (folder / JSON_NAME).exists():
        return PolicyState("none")
    try:
        loaded = load(folder)
    except PolicyError as error:
        return PolicyState("damaged", str(error))
    report, words = _report(folder, loaded)
    return PolicyState("ready", "", loaded, report, words)


def _stamps(folder: Path) -> tuple[object, ...]:
    found: list[object] = []
    for name in _FILES:
        try:
            status = (folder / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def staged_folder(project: Project) -> Path:
    """Where a policy lies that was learnt and is not in use."""
    return project.kept / "learnt-policy"


def former_folder(project: Project) -> Path:
    """Where the policy lies that was in use before."""
    return project.kept / "former-policy"


def outcome_files(project: Project) -> dict[str, Path]:
    """Name -> file of outcomes: the one that was named for the project, then those in its folder."""
    found: dict[str, Path] = {}
    if project.outcomes is not None and project.outcomes.exists():
        found[project.outcomes.name] = project.outcomes
    for path in sorted(project.folder.glob("*")):
        if len(found) >= FILES_MAX_COUNT:
            break
        is_table = path.name.lower().endswith(OUTCOME_SUFFIXES) and path.is_file()
        if is_table and path.name not in found and _holds_outcomes(path):
            found[path.name] = path
    return found


def start_learning(desk: Desk, files: tuple[Path, ...], request: LearnRequest, asked: Mapping[str, str]) -> Job:
    """Learn beside the policy in use; nothing of it changes. `asked`: the form, to be shown again."""
    from breakeven.reports.learn_answer import needs_learning

    needs_learning()

    def work(say: Say) -> str:
        from breakeven.catalog.load import load_catalog
        from breakeven.outcomes.judged import Sources, read_and_judge
        from breakeven.reports.learn_answer import answer_learn

        say("outcomes")
        judged = read_and_judge(files, Sources())
        target = staged_folder(desk.project)
        half = target.with_name(f"{target.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        document = answer_learn(
            request, judged.outcomes, load_catalog(desk.today()), desk.today(), half, say, judged.others
        )
        say("done")
        with _lock:
            shutil.rmtree(target, ignore_errors=True)
            half.rename(target)
        return document.verdict.sentence

    return desk.jobs.start(LEARN_JOB, "Learning a policy", work, asked)


def put_in_use(project: Project, version: str, staged_version: str) -> None:
    """Let the learnt policy take the place of the one in use, which is kept.

    `version` and `staged_version` name what the person saw; EditConflict where it is another one by now.
    """
    with _lock:
        current, staged = _refuse_changed(project, version), policy_state(staged_folder(project))
        if staged.loaded is None or staged.version != staged_version:
            raise EditConflict("the policy that was learnt is another one by now, or gone; look at it again")
        _keep_former(project, current)
        _write(staged.loaded, staged_folder(project), project.policy)
        shutil.rmtree(staged_folder(project), ignore_errors=True)


def put_back(project: Project, version: str) -> None:
    """Let the policy that was in use before come back; the present one is kept in its place."""
    with _lock:
        current = _refuse_changed(project, version)
        former = former_folder(project)
        if not (former / JSON_NAME).exists():
            raise EditConflict("there is no former policy to go back to")
        back = former.with_name(f"{former.name}.back")
        shutil.rmtree(back, ignore_errors=True)
        former.rename(back)
        try:
            loaded = load(back)
            _keep_former(project, current)
            _write(loaded, back, project.policy)
        except BreakevenError:
            shutil.rmtree(former, ignore_errors=True)
            back.rename(former)
            raise
        shutil.rmtree(back, ignore_errors=True)


def throw_away(project: Project) -> None:
    """Forget the policy that was learnt and is not in use."""
    with _lock:
        shutil.rmtree(staged_folder(project), ignore_errors=True)


def _refuse_changed(project: Project, version: str) -> PolicyState:
    current = policy_state(project.policy)
    if current.version != version:
        raise EditConflict(
            f"the policy in use is {_short(current.version)} by now, and you looked at {_short(version)}: somebody, or "
            "a pilot, wrote it meanwhile. Nothing was changed; look again"
        )
    if current.loaded is not None and current.loaded.document.trial is not None:
        raise PolicyError(
            f"a pilot runs on this policy (trial {current.loaded.document.trial.pilot}): replacing it would end the "
            "pilot without a verdict. Stop the pilot first (Pilot page, or `breakeven pilot stop`)"
        )
    return current


def _short(version: str) -> str:
    return version[:12]


def _keep_former(project: Project, current: PolicyState) -> None:
    """Copy what is in use; where nothing is, there is nothing to go back to."""
    former = former_folder(project)
    shutil.rmtree(former, ignore_errors=True)
    if current.kind == "none":
        return
    former.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(project.policy, former)


def _write(loaded: LoadedPolicy, source: Path, target: Path) -> None:
    """The same policy in another folder; a gateway sees it whole or not at all."""
    from breakeven.reports.learn_answer import REPORT_NAME, read_report, write_report

    report = read_report(source)
    save(loaded.document, target)
    (target / _CURVE).unlink(missing_ok=True)
    (target / REPORT_NAME).unlink(missing_ok=True)
    if report is not None:
        policy = report.policy.model_copy(update={"folder": str(target)})
        write_report(report.model_copy(update={"policy": policy}), target)


def _report(folder: Path, loaded: LoadedPolicy) -> tuple[LearnDocument | None, str]:
    from breakeven.reports.learn_answer import REPORT_NAME, read_report

    try:
        report = read_report(folder)
    except BreakevenError as error:
        return None, str(error)
    if report is None:
        return (
            None,
            f"There is no {REPORT_NAME} beside this policy: it was written by hand, by a pilot, or copied alone.",
        )
    known = {loaded.hash}
    if loaded.document.trial is not None:
        known.add(hash_without_trial(folder))
    if report.policy.hash not in known:
        return None, (
            f"The {REPORT_NAME} beside it is of another version ({(report.policy.hash or 'none')[:12]}), so it is not "
            "shown: a pilot's promotion or a person changed the policy since."
        )
    return report, ""


def _holds_outcomes(path: Path) -> bool:
    """Whether the first line reads like outcomes; Parquet by its name alone."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "outcome" in name
    try:
        head = _first_line(path)
        if name.endswith((".jsonl", ".jsonl.gz")):
            row = json.loads(head)
            columns = {str(each) for each in row} if isinstance(row, Mapping) else set()
        else:
            columns = set(next(csv.reader(io.StringIO(head)), []))
    except (OSError, ValueError, csv.Error):
        return False
    wide = any(each.startswith(tuple(f"{stem}__" for stem in _SUCCESS)) for each in columns)
    return wide or ("model" in columns and any(stem in columns for stem in _SUCCESS))


def _first_line(path: Path) -> str:
    import gzip

    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
        return file.readline(_HEAD_BYTES).decode("utf-8-sig").rstrip("\r\n")
