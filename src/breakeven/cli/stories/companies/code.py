"""Code: a studio's coding assistant; the open model is cheaper by the token, and fails at the work that counts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Final

from breakeven.cli.stories.chapters.afterwards import decide_measured
from breakeven.cli.stories.chapters.audited import label_and_audit
from breakeven.cli.stories.chapters.compared import compare_first
from breakeven.cli.stories.chapters.first_log import read_log
from breakeven.cli.stories.chapters.learnt import judge_and_learn
from breakeven.cli.stories.chapters.piloted import shadow
from breakeven.cli.stories.story import Chapter, Story
from breakeven.usage.synthetic_company import Company, Work, kind_of

_BIG, _SMALL, _TIER = "anthropic/claude-sonnet-4-5", "Qwen3-235B-A22B", "anthropic/claude-haiku-4-5"
_kind = partial(kind_of, (_BIG, _SMALL, _TIER))

_WORKS: Final = (
    Work(
        *("write tests", 0.30, 16_000, 900, 0.7, 0.0),
        (
            _kind(0.6, (0.86, 0.70, 0.77), "Write pytest cases for the inventory module, ticket {n}"),
            _kind(0.4, (0.78, 0.55, 0.65), "Cover the network replay of build {n} with tests, no sleeps"),
        ),
    ),
    Work(
        *("fix a bug", 0.30, 28_000, 1_300, 0.8, 0.2),
        (
            _kind(0.5, (0.76, 0.52, 0.63), "Crash {n}: the save file is read twice after the player dies. Fix it"),
            _kind(0.5, (0.66, 0.36, 0.49), "Desync {n}: two clients disagree on the loot after a reconnect. Fix it"),
        ),
    ),
    Work(
        *("refactor across files", 0.25, 42_000, 2_400, 0.85, 0.3),
        (_kind(1.0, (0.64, 0.33, 0.47), "Split the renderer so that change {n} builds without the editor"),),
    ),
    Work(
        *("explain code", 0.15, 9_000, 600, 0.5, 0.0),
        (_kind(1.0, (0.93, 0.86, 0.89), "What does this shader do, and why is line {n} there?"),),
    ),
)

STORY: Final = Story(
    name="code",
    title="Brackenfield Games: a coding assistant that everybody likes",
    about=(
        "Brackenfield Games (made up) gives its ninety programmers an assistant on Claude Sonnet 4.5. An open coding "
        "model costs a fraction by the token and scores well in public tables, and finance asks why it is not used. "
        "Does it do this studio's work?"
    ),
    company=Company(
        "Brackenfield Games",
        "coding assistant",
        "anthropic",
        "claude-sonnet-4-5",
        _WORKS,
        datetime(2026, 8, 10, tzinfo=UTC),
        days_count=91,
        calls_count=24_000,
        sampled_fraction=1 / 25,
    ),
    open_model=_SMALL,
    also=(_TIER,),
    as_of=datetime(2026, 11, 24, tzinfo=UTC),
    scenario="""\
open_model: Qwen3-235B-A22B
# whole moves that the studio would consider; programmers wait for answers, so no batch
options: [frontier_api, cheaper_tier, brokered, rented_one_year]
answers: {data_sensitive: false, fine_tuning: false, mlops_team: true}
failure_usd_per_request: {other: 0.40}  # a programmer reads a wrong patch: half a minute at 50 USD an hour""",
    tasks=("write tests", "fix a bug", "refactor across files"),
    checks={
        "write tests": {"regex": r"def test_", "not_truncated": True},
        "fix a bug": {"regex": r"^(---|diff )", "not_truncated": True},
        "refactor across files": {"regex": r"^(---|diff )", "not_truncated": True},
    },
    migration_usd=9_000,
    chapters=(
        Chapter(
            "A bill that grows with the team's liking",
            "What the assistant is used for and what it costs; most of the input is read from the provider's cache, "
            "which a comparison of list prices forgets.",
            read_log,
        ),
        Chapter(
            "What the programmers ask",
            "Public tables rank models on public bugs. Sixty of the studio's own calls, one key each, say more about "
            "its own work.",
            label_and_audit,
        ),
        Chapter(
            "The case for the switch",
            "On assumed success rates: the comparison that finance would like to see.",
            compare_first,
        ),
        Chapter(
            "Judge the answers",
            "1,500 requests, the models' answers run against the studio's own builds, and the question whether any "
            "part of the work may go to the open model.",
            judge_and_learn,
        ),
        Chapter(
            "In shadow all the same",
            "Finance wants to see it on live traffic. A shadow costs little and disturbs nobody, and a bad candidate "
            "ends it by itself.",
            shadow,
        ),
        Chapter(
            "The decision, measured",
            "The comparison again, on the studio's own success rates.",
            decide_measured,
        ),
    ),
)
