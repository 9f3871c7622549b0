"""Taxonomy: which kind of work a task is: classification, extraction, FAQ, ... by rules that say what they went by.

Evidence, strongest first: words in the names that the log gives (task, template, application, endpoint), words that
most of its prompts have (through the vocabulary), and structure: tools, schema, lengths, code marks, reasoning. Each
piece votes; the confidence is the winner's share of all votes and of one vote for "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from breakeven.audit.task import Difficulty, Kind, KindGuess, LengthProfile

_WORDS: Final[dict[Kind, str]] = {
    "classification": "classif categor label sentiment moderat triage intent tagging urgent spam toxic routing priorit",
    "extraction": "extract parse entities entity ner fields structured ocr",
    "faq": "faq question answer knowledge rag retriev lookup helpdesk documents docs",
    "summarisation": "summar tldr digest condense recap abstract minutes",
    "translation": "translat locali german french spanish english italian japanese chinese",
    "rewriting": "rewrit rephras paraphras proofread polish shorten grammar tone style edit simplify",
    "chat": "chat conversation assistant companion dialog",
    "code": "code coding function python javascript typescript sql bug debug refactor unittest commit diff compile",
    "reasoning": "reason math solve calculat proof theorem plan logic puzzle analyse analyze",
    "creative": "story poem creative headline slogan brainstorm blog marketing advert campaign caption draft ideas",
    "agent": "agent tool browse workflow orchestrat planner executor",
}
"""Beginnings of words. A task's own name counts most, so its words come from what teams call their tasks."""
_WEAK: Final = (
    "question",
    "answer",
    "english",
    "german",
    "function",
    "style",
    "tone",
    "assistant",
    "documents",
    "docs",
    "edit",
    "plan",
)
"""Words that stand in prompts of many kinds: half a vote."""
NAME_VOTES: Final = 4.0
TERM_VOTES: Final = 2.0
TERM_FRACTION: Final = 0.5
"""A word speaks for a task when at least half of its prompts have it."""
UNKNOWN_VOTES: Final = 1.0
LABEL_MAX_TOKENS: Final = 12
"""Answers mostly this short are labels."""
CODE_MARKS_RATIO: Final = 4.0
"""Marks of program code per hundred words, from which prompts are about code."""


@dataclass(frozen=True, slots=True)
class TaskFeatures:
    """What the rules look at."""

    names: str
    """Names that the log gives, together."""
    terms: Mapping[str, float]
    """Word -> share of the task's prompts that have it."""
    lengths: LengthProfile
    difficulty: Difficulty
    has_schema: bool = False
    operation: str = ""


def kind_of(features: TaskFeatures) -> KindGuess:
    """The kind with the most votes, and the pieces that voted for it.

    >>> kind_of(TaskFeatures("classify ticket", {}, LengthProfile(3000, 9000, 8, 12), Difficulty()))
    KindGuess(kind='classification', confidence_fraction=0.88, because='the name says "classify"; answers of 8 tokens')
    >>> kind_of(TaskFeatures("", {}, LengthProfile(), Difficulty())).kind
    'unknown'
    """
    votes: dict[Kind, float] = {}
    because: dict[Kind, list[str]] = {}
    for kind, weight, reason in (*_by_name(features.names), *_by_terms(features.terms), *_by_structure(features)):
        votes[kind] = votes.get(kind, 0.0) + weight
        because.setdefault(kind, []).append(reason)
    if not votes:
        return KindGuess("unknown", 1.0, "nothing tells")
    kind = max(votes, key=lambda each: (votes[each], each))
    confidence = votes[kind] / (sum(votes.values()) + UNKNOWN_VOTES)
    return KindGuess(kind, round(confidence, 2), "; ".join(dict.fromkeys(because[kind])))


def _by_name(names: str) -> list[tuple[Kind, float, str]]:
    words = re.findall(r"[a-z]+", names.lower().replace("-", " ").replace("_", " "))
    return [
        (kind, NAME_VOTES * _strength(stem), f'the name says "{word}"')
        for kind, text in _WORDS.items()
        for word, stem in _matches(words, text.split())[:1]
    ]


def _by_terms(terms: Mapping[str, float]) -> list[tuple[Kind, float, str]]:
    often = (word for word, share in terms.items() if share >= TERM_FRACTION)
    common = sorted(often, key=lambda each: (-terms[each], each))
    found: list[tuple[Kind, float, str]] = []
    for kind, text in _WORDS.items():
        for word, stem in _matches(common, text.split())[:2]:
            votes = TERM_VOTES * _strength(stem) * terms[word]
            found.append((kind, votes, f'{100 * terms[word]:.0f} % of prompts say "{word}"'))
    return found


def _matches(words: list[str], stems: list[str]) -> list[tuple[str, str]]:
    return [(word, stem) for word in words for stem in stems if word.startswith(stem)]


def _strength(stem: str) -> float:
    return 0.5 if stem in _WEAK else 1.0


def _by_structure(features: TaskFeatures) -> list[tuple[Kind, float, str]]:
    lengths, hard = features.lengths, features.difficulty
    output, inputs = lengths.output_p50_tokens, lengths.input_p50_tokens
    found: list[tuple[Kind, float, str]] = []
    if output is not None and 0 < output <= LABEL_MAX_TOKENS:
        found.append(("classification", 3.0, f"answers of {output} tokens"))
    elif features.has_schema and (hard.tools_fraction or 0) < 0.5:
        found.append(("extraction", 2.0, "answers follow a schema"))
    if (hard.tools_fraction or 0) >= 0.5:
        found.append(("agent", 2.0, "tools on offer"))
    if hard.reasoning_fraction >= 0.5:
        found.append(("reasoning", 2.0, f"{100 * hard.reasoning_fraction:.0f} % of the output is reasoning"))
    if (hard.code_marks_ratio or 0) >= CODE_MARKS_RATIO:
        found.append(("code", 2.0, "prompts are full of code"))
    if (hard.user_turns_ratio or 0) >= 2:
        found.append(("chat", 1.5, f"{hard.user_turns_ratio:.1f} user turns a call"))
    if output is not None and inputs is not None and output > LABEL_MAX_TOKENS and not features.has_schema:
        if inputs >= 2_000 and output <= inputs / 8:
            found.append(("summarisation", 0.5, "long inputs, short answers"))
        elif output >= 1.5 * inputs and output >= 300:
            found.append(("creative", 0.5, "answers longer than their prompts"))
    return found
