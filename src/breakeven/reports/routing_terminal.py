"""Routing terminal: what `learn` found, and what `evaluate` found, as a page: the answer first, then why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.learning.evaluation_document import EvaluationDocument, FigurePart, JudgedPart
from breakeven.reports.amounts import counted
from breakeven.reports.routing_document import ExamplePart, GroupPart, LearnDocument
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_text import Bullets, Paragraph, bullets, next_step, plain_table, print_parts, section

SHOWN_GROUPS_COUNT: Final = 12
NAME_MAX_COUNT: Final = 30
NARROW_COLUMNS: Final = 90
PER: Final = 1000.0
"""Requests to which money in tables refers: one call costs too little to read."""
_NOTHING: Final = FigurePart(value=None, low=None, high=None)
BASELINES: Final = {
    "best_single": "best single model",
    "always_weak": "cheap model alone",
    "always_strong": "reference alone",
    "random_mix": "random mix",
    "prompt_length": "prompt length",
    "keywords": "keywords",
    "per_task_best": "best model per task",
    "oracle": "oracle (has seen the answers)",
}
"""Name of a baseline -> what it is, for a reader."""


def render_learnt(
    document: LearnDocument, console: Console, *, explain: bool, next_command: str, warnings: Sequence[str] = ()
) -> None:
    """Print what was learnt."""
    routes = document.policy.kind != "single"
    print_parts(
        console,
        (
            Paragraph(document.verdict.sentence, "bold"),
            bullets(list(_details(document))),
            _ways(document.evaluation, console.width, "this policy" if routes else "router tried, not used"),
            section("Savings" if routes else "Savings of the router tried", bullets(_savings(document.evaluation))),
            section("Who takes what", _groups(document.groups, document.floor.against_model, console.width)),
            section("Why", bullets(list(_why(document)))) if explain else None,
            section("Examples", _examples(document)) if explain else None,
            section("Prices", bullets([_price_words(document, each.model) for each in document.prices])),
            section("Weak spots", bullets([*document.notes, *warnings]), "bold yellow"),
            next_step(next_command) if next_command else None,
        ),
    )


def render_evaluation(
    document: EvaluationDocument,
    console: Console,
    *,
    title: str,
    details: Sequence[str] = (),
    warnings: Sequence[str] = (),
    next_command: str = "",
) -> None:
    """Print how a policy did on outcomes."""
    print_parts(
        console,
        (
            Paragraph(title, "bold"),
            bullets([*_ranges(document), *details]),
            _ways(document, console.width, "this policy"),
            section("Savings", bullets(_savings(document))),
            section("Models", _models(document)),
            section("Curve", bullets(list(_curve_words(document)))),
            section("Weak spots", bullets([*document.notes, *warnings]), "bold yellow"),
            next_step(next_command) if next_command else None,
        ),
    )


def _details(document: LearnDocument) -> Iterable[str]:
    floor, split, policy = document.floor, document.split, document.policy
    yield (
        f"Floor: at least {floor.quality_floor_ratio:.0%} of the success of {floor.against_model}, with "
        f"{floor.confidence:.0%} confidence, for requests like these; {floor.sentence}."
    )
    if floor.missing_requests:
        yield f"About {floor.missing_requests:,} more labelled requests are missing."
    yield (
        f"Learnt from {split.learnt_from_requests:,} requests; judged on {split.calibration_requests:,} others "
        f"(seed {split.seed})."
    )
    yield from _ranges(document.evaluation)
    if document.policy.kind != "single":
        yield (
            "The setting was chosen on the requests it is judged on, which flatters it a little; figures of "
            "`evaluate` on other requests are free of that."
        )
    kind = {
        "single": f"one model for everything, {policy.default_model}",
        "task_map": f"a map from {' / '.join(policy.levels)} to a model",
        "threshold": "a scorer of prompts decides, with what its group is known to do",
        "cascade": "a cheap model answers first, and a check of its answer decides who answers next",
        "allocation": "prices of capacity decide among several models",
    }[policy.kind]
    holds = "; it holds training rows (learn without --with-rows for one that does not)"
    yield f"Policy: {kind}{holds if policy.holds_training_rows else ''}."


def _ranges(document: EvaluationDocument) -> Iterable[str]:
    """The policy's own figures with their intervals."""
    usd, success = document.usd_per_request, document.success
    if success.value is not None and success.low is not None and success.high is not None:
        words = f"success {success.value:.1%} (95 %: {success.low:.1%} to {success.high:.1%})"
        if usd.value is not None and usd.low is not None and usd.high is not None:
            words += f", {PER * usd.value:.4g} USD per {PER:,.0f} ({PER * usd.low:.4g} to {PER * usd.high:.4g})"
        yield f"Measured on {document.requests:,} requests: {words}."


def _ways(document: EvaluationDocument, width: int, own_name: str) -> Table:
    """The policy among everything it is compared with."""
    table = plain_table()
    table.add_column("Way", overflow="fold")
    money = document.cost_basis == "usd"
    table.add_column(f"USD per {PER:,.0f}" if money else "strong calls", justify="right")
    table.add_column("Success", justify="right")
    if money:
        table.add_column(f"USD per {PER:,.0f} successes", justify="right")
    if width >= NARROW_COLUMNS:
        for name in ("APGR", "AIQ"):
            table.add_column(name, justify="right")
    rows: list[tuple[str, FigurePart, FigurePart, FigurePart, FigurePart]] = [
        (
            own_name,
            document.usd_per_request if money else document.strong_share,
            document.success,
            document.apgr,
            document.aiq,
        )
    ]
    charges = sum(each for each in document.charges_usd_per_request.values() if each is not None)
    if money and charges > 0 and document.usd_per_request.value is not None:
        charged = FigurePart(value=document.usd_per_request.value + charges, low=None, high=None)
        rows.append((f"{own_name}, with its charges", charged, document.success, _NOTHING, _NOTHING))
    rows += [_row(each, document, money) for each in document.baselines]
    for at, (name, cost, success, apgr, aiq) in enumerate(rows):
        cells = [name, _money(cost) if money else _percent(cost), _percent(success)]
        if money:
            cells.append(_per_success(cost, success))
        if width >= NARROW_COLUMNS:
            cells += [_plain(apgr), _plain(aiq)]
        table.add_row(*(Text(safe(each), style="" if at else "bold") for each in cells))
    return table


def _row(
    each: JudgedPart, document: EvaluationDocument, money: bool
) -> tuple[str, FigurePart, FigurePart, FigurePart, FigurePart]:
    """One baseline; one without a setting of its own stands at the cost of the policy."""
    name = BASELINES.get(each.name, each.name)
    if each.name == "always_weak" and _is_dearer(document):
        name = "the other model alone"
    model = each.what.rpartition(": ")[2] if each.name in ("best_single", "always_weak", "always_strong") else ""
    label = f"{name}: {short(model, NAME_MAX_COUNT)}" if model else name
    cost, success = each.cost_per_request if money else each.strong_share, each.success
    if cost.value is None and each.success_at_policy_cost.value is not None:
        own = document.usd_per_request if money else document.strong_share
        return f"{label}, at the same cost", own, each.success_at_policy_cost, each.apgr, each.aiq
    return label, cost, success, each.apgr, each.aiq


def _is_dearer(document: EvaluationDocument) -> bool:
    """Whether the model called weak costs more than the reference."""
    cost = {each.name: each.cost_per_request.value for each in document.baselines}
    weak, strong = cost.get("always_weak"), cost.get("always_strong")
    return weak is not None and strong is not None and weak > strong


def _savings(document: EvaluationDocument) -> list[str]:
    if all(each.saved_usd_per_request.value == 0 for each in document.savings):
        return []
    names = {"incumbent": "What ran before", "best_single": "Best single model", "dearest": "Dearest model"}
    lines = [f"{names[each.against]}: {each.sentence}." for each in document.savings]
    not_stated = [name for name, amount in document.charges_usd_per_request.items() if amount is None]
    if lines and not_stated:
        lines.append(f"Not charged, because nobody stated it: {', '.join(not_stated)}.")
    return lines


def _groups(groups: Sequence[GroupPart], reference: str, width: int) -> Table | None:
    """The groups with the most requests."""
    shown = sorted(groups, key=lambda each: -each.requests)[:SHOWN_GROUPS_COUNT]
    if not shown:
        return None
    table = plain_table()
    table.add_column(" / ".join(shown[0].group) or "Group", overflow="fold")
    for name in ("Requests", "Model", "Its success", *(("Reference's",) if width >= 70 else ())):
        table.add_column(name, justify="left" if name == "Model" else "right", overflow="fold")
    for each in shown:
        cells = [
            short(" / ".join(each.group.values()) or "all", NAME_MAX_COUNT),
            f"{each.requests:,}",
            short(each.model, NAME_MAX_COUNT),
            f"{each.success[each.model]:.1%}" if each.model in each.success else "not known",
        ]
        if width >= 70:
            cells.append(f"{each.success[reference]:.1%}" if reference in each.success else "not known")
        table.add_row(*(Text(safe(cell)) for cell in cells))
    if len(groups) > len(shown):
        table.caption = f"{len(groups) - len(shown)} smaller groups are in policy.json"
        table.caption_justify = "left"
    return table


def _why(document: LearnDocument) -> Iterable[str]:
    scorer = document.scorer
    yield f"A scorer of prompts: {scorer.why}."
    for each in document.drafts:
        mark = "taken to calibration" if each.calibrated else "dearer at the floor, by the requests learnt from"
        failures = (
            f" and {PER * each.failures_usd_per_request:.4g} USD of failures" if each.failures_usd_per_request else ""
        )
        yield (
            f"{each.name}: {PER * each.usd_per_request:.4g} USD{failures} per {PER:,.0f} requests, success "
            f"{each.success_fraction:.1%}: {mark}."
        )
    yield from _curve_words(document.evaluation)


def _curve_words(document: EvaluationDocument) -> Iterable[str]:
    weak, strong = document.weak_model, document.strong_model
    for name, what, each in (
        ("APGR", f"share of the gap between {weak} and {strong} recovered, over all settings (0.5: by chance)", "apgr"),
        ("CPT50", f"calls of {strong} that recover half of the gap", "cpt50"),
        ("CPT80", "calls of it that recover 80 %", "cpt80"),
        ("AIQ", "mean success over the costs from the cheapest to the dearest model", "aiq"),
        ("Saved at 95 %", f"of the bill of {strong}, keeping 95 % of its success", "savings_at_95"),
        ("Saved at 98 %", "keeping 98 %", "savings_at_98"),
        ("Saved at 100 %", "keeping all of it", "savings_at_100"),
    ):
        figure: FigurePart = getattr(document, each)
        percent = each.startswith(("cpt", "savings"))
        yield f"{name}: {_spread(figure, percent)}: {what}."


def _models(document: EvaluationDocument) -> Table:
    table = plain_table()
    for name in ("Model", "Share", "Success of its requests", "Success alone"):
        table.add_column(name, justify="left" if name == "Model" else "right", overflow="fold")
    for each in document.models:
        table.add_row(
            Text(safe(short(each.model, NAME_MAX_COUNT))),
            "not known" if each.share_fraction is None else f"{each.share_fraction:.1%}",
            _percent(each.success),
            f"{each.alone_success_fraction:.1%}",
        )
    return table


def _examples(document: LearnDocument) -> Bullets | None:
    return bullets([_example(each, document.floor.against_model) for each in document.examples])


def _example(each: ExamplePart, reference: str) -> str:
    names = dict.fromkeys((each.model, reference))
    best = ", ".join(f"{short(name, 24)} {each.predicted[name]:.0%}" for name in names if name in each.predicted)
    what = f'"{each.prompt}"' if each.prompt else f"request {each.request_id}"
    return f"{each.model} takes {each.group or 'all'}: {what} (predicted: {best})"


def _price_words(document: LearnDocument, model: str) -> str:
    found = next(each for each in document.prices if each.model == model)
    usd = "unpriced" if found.usd_per_request is None else f"{PER * found.usd_per_request:.4g} USD per {PER:,.0f} calls"
    return f"{model}: {usd}; {found.words}."


def _money(each: FigurePart) -> str:
    return "not known" if each.value is None else f"{PER * each.value:.4g}"


def _per_success(cost: FigurePart, success: FigurePart) -> str:
    if cost.value is None or success.value is None or success.value <= 0:
        return "not known"
    return f"{PER * cost.value / success.value:.4g}"


def _percent(each: FigurePart) -> str:
    return "" if each.value is None else f"{each.value:.1%}"


def _plain(each: FigurePart) -> str:
    return "" if each.value is None else f"{each.value:.3f}"


def _spread(each: FigurePart, percent: bool) -> str:
    if each.value is None:
        return f"not known ({each.why})"
    values = [
        f"{value:.1%}" if percent else f"{value:.3f}"
        for value in (each.value, each.low, each.high)
        if value is not None
    ]
    return values[0] if len(values) < 3 else f"{values[0]} ({values[1]} to {values[2]})"


def evaluation_words(document: EvaluationDocument) -> str:
    """One line of an evaluation, where no verdict is passed."""
    cost = _money(document.usd_per_request)
    return (
        f"{counted(document.requests, 'request')}: {cost} USD per {PER:,.0f}, success {_percent(document.success)}"
        if document.cost_basis == "usd"
        else f"{counted(document.requests, 'request')}: success {_percent(document.success)}"
    )
