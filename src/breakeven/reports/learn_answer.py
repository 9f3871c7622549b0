"""Learn answer: files of outcomes become a policy in a folder with its report beside it, for a verb or a page alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from breakeven import __version__
from breakeven.catalog.load import Catalog
from breakeven.errors import DocumentError, LearningError, OutputError
from breakeven.learning.judged_labels import with_judges
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.pricing import GivenPrice, Priced, priced
from breakeven.learning.savings import Charges
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.reports.document_file import read_content, validated
from breakeven.reports.routing_document import SCHEMA_VERSION, LearnDocument, learn_document
from breakeven.routing.policy_file import save
from breakeven.routing.written import write_whole

REPORT_NAME: Final = "report.json"
"""Beside policy.json: what `breakeven learn --json` prints."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """How to learn."""

    settings: LearnSettings = field(default_factory=LearnSettings)
    charges: Charges = field(default_factory=Charges)
    prices: Mapping[str, GivenPrice] = field(default_factory=dict)
    output_tokens: float | None = None


def what_is_missing() -> str:
    """What must be installed before anything can be learnt; empty when nothing."""
    return "" if find_spec("sklearn") else "learning a policy needs scikit-learn: pip install 'breakeven[learning]'"


def needs_learning() -> None:
    """Raise LearningError where something is missing."""
    if missing := what_is_missing():
        raise LearningError(missing)


def answer_learn(
    request: LearnRequest,
    read: ReadOutcomes,
    catalog: Catalog,
    today: date,
    out: Path | None = None,
    say: Say = lambda _: None,
    others: ReadOutcomes | None = None,
) -> LearnDocument:
    """Learn from outcomes; with `out` the policy and its report are written there.

    `others` is what others than gold say of the same answers, where `read` has careful labels: they correct a judge.
    """
    say("prices")
    costed = priced(with_judges(read, others), dict(request.prices), catalog, request.output_tokens)
    document = _learnt(request, costed, read.notes, today, out, say)
    if out is not None:
        write_report(document if request.settings.keeps_rows else without_prompts(document), out)
    return document


def without_prompts(document: LearnDocument) -> LearnDocument:
    """The same without words of prompts: a policy's folder goes to other machines, and holds none unless asked to."""
    bare = [each.model_copy(update={"prompt": ""}) for each in document.examples]
    return document.model_copy(update={"examples": bare})


def report_text(document: LearnDocument) -> str:
    """As `breakeven learn --json` prints it."""
    return document.model_dump_json(indent=1) + "\n"


def write_report(document: LearnDocument, folder: Path) -> None:
    """Keep the report beside its policy."""
    try:
        write_whole(folder / REPORT_NAME, report_text(document).encode("utf-8"))
    except OSError as error:
        raise OutputError(f"cannot write {folder / REPORT_NAME}: {error.strerror}") from None


def read_report(folder: Path) -> LearnDocument | None:
    """The report beside a policy; None where there is none. DocumentError where it is damaged or newer."""
    path = folder / REPORT_NAME
    if not path.exists():
        return None
    content = read_content(path, "breakeven learn --out")
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise DocumentError(f"{path} has no schema_version; wanted the report that `breakeven learn --out` writes")
    return validated(path, content, LearnDocument, f"{version}.0", f"{SCHEMA_VERSION}.0")


def _learnt(
    request: LearnRequest, costed: Priced, notes: tuple[str, ...], today: date, out: Path | None, say: Say
) -> LearnDocument:
    learnt = learn(costed.table, request.settings, say)
    say("the verdict")
    judgement = judge_learnt(learnt, request.charges)
    evidence = {"outcomes": costed.table.label, "verdict": judgement.verdict.sentence}
    policy = document_of(learnt, costed.prices, today, f"breakeven {__version__}", evidence, judgement)
    saved = save(policy, out).hash if out is not None else None
    return learn_document(
        learnt,
        judgement,
        costed.prices,
        policy,
        folder=None if out is None else str(out),
        policy_hash=saved,
        notes=notes,
    )
