"""Made-up pilots for the pages: every answer and mode, a hostile one, one of many tasks, one that has not begun.

Outcomes are drawn with a seed and the figures follow from them by plain arithmetic; the statistics themselves are
tested where they live (tests/pilot).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from math import inf, log

import numpy as np

from breakeven.pilot.design import Design, Guards, Mode, RampStep, TaskPlan
from breakeven.pilot.observations import BASELINE, CANDIDATE, Evidence, Observations, PairCounts, Problem
from breakeven.pilot.rollout_watch import TaskWatch
from breakeven.pilot.verdict import (
    Answer,
    ForecastLine,
    GuardState,
    HistoryPoint,
    Quality,
    Range,
    Savings,
    Verdict,
)
from breakeven.reports.pilot_document import pilot_document
from breakeven.reports.pilot_parts import PilotDocument
from reports.sample_document import HOSTILE

BEGINS = datetime(2026, 11, 9, 8, 0, tzinfo=UTC)
MARGIN = 0.95
STAKES = np.geomspace(0.005, 0.98 / MARGIN, 24)
BOUNDARY = log(1 / 0.05)
ALWAYS = "betting confidence sequence; holds however often one looks"


def outcomes(count: int, baseline: float, candidate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paired successes with a correlation."""
    draw = np.random.default_rng(seed)
    shared, own = draw.random(count), draw.random(count)
    mixed = np.where(draw.random(count) < 0.5, shared, own)
    return (shared < baseline).astype(float), (mixed < candidate).astype(float)


def quality(
    task: str,
    pair: tuple[np.ndarray, np.ndarray],
    *,
    overall: bool = False,
    boundary: float = BOUNDARY,
    missing: int = 0,
    mode: Mode = "shadow",
    days_each: float = 0.01,
) -> Quality:
    """Figures by plain arithmetic: a mixture of bets, and an interval wide enough to be read in a picture."""
    b, s = pair
    n = len(b)
    ln_e, ln_inferior = bet(s - MARGIN * b, STAKES), bet(s - MARGIN * b, -STAKES * 0.9)
    ratio = float(s.sum() / max(b.sum(), 1))
    half = 2.7 * float(np.std(s - ratio * b)) / max(np.sqrt(n) * max(float(b.mean()), 0.01), 1e-9)
    accepted, inferior = ln_e >= boundary, ln_inferior >= log(100)
    more = None if accepted or inferior or n < 20 else max(30, int(n * (boundary / max(ln_e, 0.4) - 1)))
    both, only_b, only_s = (int(x.sum()) for x in (b * s, b * (1 - s), (1 - b) * s))
    return Quality(
        task=task,
        is_overall=overall,
        test="two-sample" if mode == "canary" else "paired",
        outcomes_count=n,
        missing_count=missing,
        counts=None if mode == "canary" else PairCounts(only_b, n - both - only_b - only_s, both, only_s),
        ln_e_ratio=ln_e,
        ln_boundary_ratio=boundary,
        ln_inferior_e_ratio=ln_inferior,
        ratio=Range(ratio, max(ratio - half, 0.0), ratio + half, method=ALWAYS),
        baseline_success=share(b),
        candidate_success=share(s),
        is_accepted=accepted,
        is_inferior=inferior,
        more_outcomes_count=more,
        more_days=None if more is None else more * days_each,
    )


def bet(gains: np.ndarray, stakes: np.ndarray) -> float:
    """Logarithm of a mixture of bets, equal weights."""
    sums = np.log1p(np.outer(stakes, gains)).sum(axis=1)
    return float(np.logaddexp.reduce(sums) - log(len(stakes)))


def share(x: np.ndarray) -> Range:
    """A success rate."""
    mean, half = float(x.mean()), 2.2 * float(x.std()) / max(np.sqrt(len(x)), 1)
    return Range(mean, max(0.0, mean - half), min(1.0, mean + half), method=ALWAYS)


def history(
    pairs: dict[str, tuple[np.ndarray, np.ndarray]], days: float, mode: Mode, boundary: float
) -> tuple[HistoryPoint, ...]:
    """The same figures after parts of the outcomes."""
    found = []
    for k in range(1, 25):
        part = {name: (b[: len(b) * k // 24], s[: len(s) * k // 24]) for name, (b, s) in pairs.items()}
        part = {name: pair for name, pair in part.items() if len(pair[0])}
        tasks = tuple(quality(name, pair, mode=mode, boundary=boundary) for name, pair in part.items())
        whole = together(part, mode)
        at = (BEGINS + timedelta(days=days * k / 24)).timestamp() if days else 0.0
        found.append(HistoryPoint(at, sum(each.outcomes_count for each in tasks), tasks, whole))
    return tuple(found)


def together(pairs: dict[str, tuple[np.ndarray, np.ndarray]], mode: Mode) -> Quality | None:
    """All tasks."""
    if len(pairs) < 2:
        return None
    whole = tuple(np.concatenate([each[at] for each in pairs.values()]) for at in (0, 1))
    return quality("", (whole[0], whole[1]), overall=True, mode=mode)


def observations(pairs: dict[str, tuple[np.ndarray, np.ndarray]], days: float, mode: Mode, seed: int) -> Observations:
    """Rows behind those outcomes: two for each request, or one in a canary."""
    draw = np.random.default_rng(seed)
    b = np.concatenate([each[0] for each in pairs.values()])
    s = np.concatenate([each[1] for each in pairs.values()])
    task = np.concatenate([np.full(len(each[0]), at) for at, each in enumerate(pairs.values())])
    n = len(b)
    start = BEGINS.timestamp() + np.sort(draw.random(n)) * days * 86_400 if days else np.full(n, np.nan)
    both = mode != "canary"
    arms = (BASELINE, CANDIDATE) if both else (BASELINE,)
    arm = np.concatenate([np.full(n, each) for each in arms]).astype(np.intp)
    success = np.concatenate([b, s] if both else [b])
    if not both:
        arm = (draw.random(n) < 0.2).astype(np.intp)
        success = np.where(arm == CANDIDATE, s, b)
    rows, k = len(arm), len(arms)
    cost = np.where(arm == CANDIDATE, 0.0011, 0.0142) * draw.lognormal(0, 0.5, rows)
    ids = tuple(f"r{i}" for i in range(n)) * k
    nothing, zeros = np.full(rows, np.nan), np.zeros(rows)
    return Observations(
        request_ids=ids, arm=arm, task=np.tile(task, k).astype(np.intp), unit=np.tile(np.arange(n), k).astype(np.intp),
        start_unix_s=np.tile(start, k), success=success, judged=nothing, is_audited=zeros.astype(bool),
        audit_fraction=zeros + 0.2, cost_usd=cost, latency_s=zeros + 0.9, is_error=zeros.astype(bool),
        propensity_fraction=zeros + (1.0 if both else 0.2), tasks=tuple(pairs), tokens_in=zeros + 800,
        tokens_out=zeros + 200, retries_count=zeros,
    )  # fmt: skip


def savings(usd_per_month: float, half: float, *, payback: Range | None = None) -> Savings:
    """A month's money with its interval."""
    per_request = usd_per_month / 1.44e6
    return Savings(
        saved_usd_per_request=Range(per_request, per_request - half / 1.44e6, per_request + half / 1.44e6),
        saved_usd_per_success=Range(per_request * 1.09, (per_request - half / 1.44e6) * 1.09, per_request * 1.2),
        saved_fraction=Range(per_request / 0.0142, (per_request - half / 1.44e6) / 0.0142, 0.93),
        saved_usd_per_month=Range(usd_per_month, usd_per_month - half, usd_per_month + half, method=ALWAYS),
        payback_months=payback or Range(1.7, 1.5, 2.0),
        return_ratio=Range(6.1, 5.2, 7.0) if payback is None else Range(None, None, None, why_not="never pays"),
        lines=(
            {"name": "calls", "baseline_usd_per_request": 0.0139, "candidate_usd_per_request": 0.0009, "note": ""},
            {
                "name": "retries and escalations",
                "baseline_usd_per_request": 0.0003,
                "candidate_usd_per_request": 0.0002,
                "note": "1.4 % of the candidate's requests needed a second call",
            },
            {
                "name": "answers put right by people",
                "baseline_usd_per_request": None,
                "candidate_usd_per_request": None,
                "note": "nobody stated what one costs",
            },
            {
                "name": "own servers",
                "baseline_usd_per_request": 0.0,
                "candidate_usd_per_request": 0.0006,
                "note": "USD 900 a month, whatever they do",
            },
        ),
        not_stated=("cost of one answer that a person puts right",),
    )


FORECAST = (
    ForecastLine(
        "tokens_out_tokens_per_request", "token/request", Range(210.0, None, None), Range(204.2, 198.0, 211.0), 0.972,
        True, "output_tokens_per_request",
    ),
    ForecastLine(
        "candidate_success_fraction", "fraction", Range(0.9, 0.86, 0.94), Range(0.894, 0.871, 0.915), 0.993, True,
        "open_model_success_fraction",
    ),
    ForecastLine(
        "candidate_usd_per_request", "usd/request", Range(0.0009, None, None), Range(0.0017, 0.0016, 0.0018), 1.89,
        False, "gpu_rent_usd_per_gpu_hour", "89 % dearer: the servers were idle 46 % of the time",
    ),
    ForecastLine(
        "throughput_tok_per_s", "token/s", Range(2400.0, 1900.0, 2900.0),
        Range(None, None, None, why_not="nobody loads a shadow enough to see it"), None, None,
    ),
    ForecastLine(
        "savings_usd_per_month", "usd/month", Range(21_000.0, 15_000.0, 26_000.0), Range(18_400.0, 16_300.0, 20_500.0),
        0.876, True,
    ),
)  # fmt: skip


def guards(task: str, *, fired: str = "", latency: float = 1.3) -> tuple[GuardState, ...]:
    """The guards of a task."""
    return (
        GuardState(task, "inferior", fired == "inferior", "no proof that it loses more than the margin"
                   if fired != "inferior" else "proven to lose more than the margin after 131 outcomes"),
        GuardState(task, "error_rate", fired == "error_rate", "3 of 1,204 requests failed", "fraction",
                   Range(0.0025, 0.0004, 0.011), Range(0.05, None, None)),
        GuardState(task, "latency_p95", fired == "latency_p95", "95th percentile of the candidate", "s",
                   Range(latency, latency * 0.9, latency * 1.1), Range(3.0, None, None)),
        GuardState(task, "spend", False, "calls of the candidate and labels", "usd", Range(41.2, None, None),
                   Range(500.0, None, None)),
    )  # fmt: skip


DESIGN = Design(
    name="support-2026",
    mode="shadow",
    tasks=(TaskPlan("", "gpt-5", "qwen3-8b-instruct", 2000.0, 0.9, 1.0, 0.3, 0.0142, 0.0011, "outcomes week44.csv"),),
    created="2026-11-08T16:20:00+00:00",
    guards=Guards(latency_p95_max_s=3.0, spend_max_usd=500.0),
    migration_usd=31_000.0,
    idle_usd_per_month=900.0,
    promised_from="comparison.json (sha256 5be3c1a09f42)",
    policy_folder="policy",
    made_by="breakeven 0.1",
)
NOT_CLAIMED = (
    "That other tasks, or other traffic than that of 9 to 15 November, would do as well.",
    "Anything about the candidate after it is changed: a new version needs a new pilot.",
    "That nobody is worse off: 3.1 % of the requests failed with the candidate that the baseline had answered well.",
)
JOURNAL = (
    {
        "at": "2026-11-09T08:00:03+00:00", "event": "started", "words": "copies of 100 % of the requests",
        "policy_hash": "9c1f22ab77d0", "share_fraction": 1.0,
    },
)  # fmt: skip
_HASH = "4f0c9a1be27d88630512c3"


def verdict(answer: Answer, sentence: str, **more: object) -> Verdict:
    """A verdict with nothing in it but what is given."""
    plain = Verdict(
        pilot="support-2026", design_hash=_HASH, answer=answer, sentence=sentence, accepted_tasks=(), stopped_tasks=(),
        tasks=(), overall=None, savings=None, guards=(), forecast=(), problems=(), not_claimed=NOT_CLAIMED,
        as_of="2026-11-15T09:30:00+00:00",
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


@cache
def yes() -> PilotDocument:
    """A shadow of one task, proven."""
    pairs = {"": outcomes(1204, 0.905, 0.9, seed=4)}
    return pilot_document(
        DESIGN,
        Evidence(observations(pairs, 6.1, "shadow", 1), (), {"gateway-state": "77ab12cd34ef5600"}),
        verdict(
            "yes",
            "Yes: qwen3-8b-instruct keeps at least 95 % of gpt-5's success and saves about $18,400 a month.",
            accepted_tasks=("",),
            tasks=(quality("", pairs[""]),),
            savings=savings(18_400, 2_100),
            guards=guards(""),
            forecast=FORECAST,
        ),
        history=history(pairs, 6.1, "shadow", BOUNDARY),
        journal=JOURNAL,
    )


@cache
def not_yet() -> PilotDocument:
    """The same after a day."""
    pairs = {"": outcomes(212, 0.905, 0.9, seed=4)}
    problems = (
        Problem("clock_skew", "3 outcomes are older than their requests (at most 2.1 s); they count.", 3),
        Problem(
            "missing_outcomes", "41 of 253 pairs have no outcome after 24 hours (baseline 12, candidate 29).", 41,
            "Were all of the missing ones failures of the candidate, the ratio could be 0.86.",
        ),
    )  # fmt: skip
    return pilot_document(
        DESIGN,
        Evidence(observations(pairs, 1.1, "shadow", 1), problems),
        verdict(
            "not_yet",
            "Not yet: the evidence is 4.1 of 20; at this traffic it probably takes 3 more days.",
            tasks=(quality("", pairs[""], missing=41),),
            savings=savings(18_100, 5_200),
            guards=guards(""),
            problems=problems,
            more_days=2.6,
        ),
        history=history(pairs, 1.1, "shadow", BOUNDARY),
        journal=JOURNAL,
    )


@cache
def no() -> PilotDocument:
    """A canary that a guard stopped, and a design that somebody changed."""
    pairs = {"": outcomes(420, 0.9, 0.71, seed=9)}
    design = replace(
        DESIGN, mode="canary", unit="user", ramp=(RampStep(0.01), RampStep(0.05), RampStep(0.2), RampStep(0.5))
    )
    journal = (
        {"at": "2026-11-09T08:00:03+00:00", "event": "started", "words": "1 % of the users", "policy_hash": "9c1f22"},
        {"at": "2026-11-10T10:12:40+00:00", "event": "ramped", "words": "5 % of the users", "policy_hash": "a01b7c"},
        {
            "at": "2026-11-11T02:33:09+00:00", "event": "stopped",
            "words": "every user is back with gpt-5; the gateway had the new policy in 0.6 s", "policy_hash": "e77f40",
        },
    )  # fmt: skip
    changed = Problem(
        "design_changed", "The design was changed on 10 November: margin_ratio 0.95 is now 0.90.", 0,
        "The promise of at most 5 % wrong yeses does not hold for the new margin.",
    )  # fmt: skip
    return pilot_document(
        design,
        Evidence(observations(pairs, 1.8, "canary", 2)),
        verdict(
            "no",
            "No: qwen3-8b-instruct loses more than 5 % of gpt-5's success (78 % of it, at most 84 %), so it is "
            "ruled out.",
            stopped_tasks=("",),
            tasks=(quality("", pairs[""], mode="canary"),),
            savings=savings(-2_300, 900, payback=Range(inf, 14.0, inf)),
            guards=guards("", fired="inferior", latency=2.1),
            problems=(changed,),
            is_design_changed=True,
        ),
        history=history(pairs, 1.8, "canary", BOUNDARY),
        journal=journal,
    )


@cache
def offline() -> PilotDocument:
    """Three tasks from files, two of which are accepted."""
    pairs = {
        "faq": outcomes(700, 0.96, 0.962, seed=1),
        "extraction": outcomes(520, 0.9, 0.91, seed=2),
        "negotiation": outcomes(300, 0.82, 0.74, seed=3),
    }
    boundary = log(3 / 0.05)
    design = replace(
        DESIGN, mode="offline", tasks=tuple(TaskPlan(each, "gpt-5", "qwen3-8b-instruct") for each in pairs)
    )
    tasks = tuple(quality(name, pair, boundary=boundary, mode="offline") for name, pair in pairs.items())
    accepted = tuple(each.task for each in tasks if each.is_accepted)
    nothing = Range(None, None, None, why_not="nobody stated how many requests come in a month")
    return pilot_document(
        design,
        Evidence(observations(pairs, 0.0, "offline", 5), (), {"old.csv": "aa" * 16, "new.csv": "bb" * 16}),
        verdict(
            "yes",
            f"Yes, for {' and '.join(accepted)}: qwen3-8b-instruct keeps at least 95 % of gpt-5's success there.",
            accepted_tasks=accepted,
            tasks=tasks,
            overall=together(pairs, "offline"),
            savings=replace(savings(18_400, 2_100, payback=nothing), saved_usd_per_month=nothing),
        ),
        history=history(pairs, 0.0, "offline", boundary),
    )


@cache
def many() -> PilotDocument:
    """Twelve tasks in a shadow, some of them nearly empty."""
    pairs = {
        f"{name}-{kind}": outcomes(40 + 60 * at, 0.9, 0.78 + 0.011 * at, seed=20 + at)
        for at, (name, kind) in enumerate((n, k) for n in ("support", "search", "billing") for k in "abcd")
    }
    boundary = log(12 / 0.05)
    design = replace(DESIGN, tasks=tuple(TaskPlan(each, "gpt-5", "qwen3-8b-instruct") for each in pairs))
    tasks = tuple(quality(name, pair, boundary=boundary) for name, pair in pairs.items())
    return pilot_document(
        design,
        Evidence(observations(pairs, 9.0, "shadow", 6)),
        verdict(
            "not_yet",
            "Not yet: none of 12 tasks is decided; the next one probably in 4 days.",
            tasks=tasks,
            overall=together(pairs, "shadow"),
            savings=savings(9_400, 8_100),
            guards=tuple(state for name in pairs for state in guards(name)[:2]),
            more_days=3.4,
        ),
        history=history(pairs, 9.0, "shadow", boundary),
    )


@cache
def promoted() -> PilotDocument:
    """The proven one after its rollout, in which the success fell."""
    watch = (TaskWatch("", 0.86, 640, 0.79, is_alarm=True, alarm_at_count=412),)
    pairs = {"": outcomes(1204, 0.905, 0.9, seed=4)}
    sure = quality("", pairs[""])
    found = verdict("yes", "Yes: proven and rolled out.", accepted_tasks=("",), tasks=(sure,))
    return pilot_document(DESIGN, Evidence(observations(pairs, 6.1, "shadow", 1)), found, watch=watch)


@cache
def designed() -> PilotDocument:
    """Nothing has been seen."""
    return pilot_document(DESIGN, None, None, design_hash=_HASH)


@cache
def hostile() -> PilotDocument:
    """Names that would like to be code, and figures that nobody knows."""
    pick = [each for each in HOSTILE]  # noqa: C416
    pairs = {pick[0]: outcomes(60, 0.9, 0.9, seed=1), pick[3]: outcomes(90, 0.9, 0.8, seed=2)}
    unknown = Range(None, None, None, why_not=" ".join(HOSTILE))
    plans = tuple(TaskPlan(each, pick[5], pick[6], expected_from=pick[1]) for each in pairs)
    design = replace(DESIGN, name=pick[2], tasks=plans, promised_from=pick[7], unit=pick[4], made_by=pick[0])
    blank = replace(quality(pick[0], pairs[pick[0]]), ratio=unknown, baseline_success=unknown, more_days=None)
    return pilot_document(
        design,
        Evidence(observations(pairs, 2.0, "shadow", 3), (), {pick[0]: pick[1]}),
        verdict(
            "not_yet",
            " ".join(HOSTILE),
            tasks=(blank, quality(pick[3], pairs[pick[3]])),
            overall=together(pairs, "shadow"),
            savings=Savings(unknown, unknown, unknown, unknown, unknown, unknown,
                            tuple({"name": each, "note": each} for each in HOSTILE), HOSTILE),
            guards=tuple(GuardState(each, each, True, each, each, unknown, unknown) for each in HOSTILE),
            forecast=tuple(ForecastLine(e, e, unknown, unknown, None, None, e, e) for e in HOSTILE),
            problems=tuple(Problem(each, each, 1, each) for each in HOSTILE),
            not_claimed=HOSTILE,
            as_of=pick[0],
        ),
        history=history(pairs, 2.0, "shadow", BOUNDARY),
        journal=tuple({"at": each, "event": each, "words": each, "policy_hash": each} for each in HOSTILE),
    )  # fmt: skip


PILOTS = {
    "yes": yes, "not_yet": not_yet, "no": no, "offline": offline, "many": many, "designed": designed,
    "hostile": hostile, "promoted": promoted,
}  # fmt: skip
