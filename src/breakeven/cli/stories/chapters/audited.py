"""Audited: which kinds of work the calls are, and what a small model can do of each, by labels of people."""

from __future__ import annotations

from typing import Final

from breakeven.audit.saved import load_audit
from breakeven.audit.task import AuditedTask
from breakeven.cli.stories.made_up import labels_typed
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.audit_wording import EXCLUDED, evidence_words, share_range, verdict_details, verdict_sentence
from breakeven.reports.story_document import FigurePart, TruthPart

LABELS_COUNT: Final = 60


def label_and_audit(stage: Stage, story: Story) -> Found:
    """`audit`, `audit label`, and `audit` again, which now rests on labels."""
    asked = ("audit", "--small-model", story.open_model, "--as-of", story.as_of.date().isoformat())
    stage.breakeven(*asked)
    guessed = load_audit(stage.path(".breakeven"))
    walk = ("audit", "label", "--count", str(LABELS_COUNT))
    keys = labels_typed(stage.quietly(*walk), story.company, story.open_model, stage.seed)
    stage.breakeven(*walk, keys=keys)
    stage.breakeven(*asked)
    audit = load_audit(stage.path(".breakeven"))
    assert guessed is not None and audit is not None
    before = f"Before anybody looked: {verdict_sentence(guessed)}"
    sentences = [verdict_sentence(audit), *verdict_details(audit), before]
    figures = [
        FigurePart(
            label=each.name,
            value=share_range(each.suitability.can_do),
            note=f"of its calls {story.open_model} can do (80 % interval); {evidence_words(each)}",
        )
        for each in audit.tasks
    ]
    truth = [_planted(each, story) for each in audit.tasks]
    return Found(sentences, figures, truth, EXCLUDED, (".breakeven/audit.json",))


def _planted(task: AuditedTask, story: Story) -> TruthPart:
    truth = next(each for each in story.company.works if each.task == task.name).success_fraction(story.open_model)
    share = task.suitability.can_do
    return TruthPart(
        what=f"{task.name}: calls that {story.open_model} can do",
        planted=amounts.fraction(truth),
        found=share_range(share),
        is_inside=share.low <= truth <= share.high,
    )
