"""Mining: from the Calls to the rules of the grouping: metadata over all, templates and clusters over a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.assignment import GROUP, length_class, model_label, with_groups
from breakeven.audit.clusters import CALLS_PER_CLUSTER_COUNT, cluster
from breakeven.audit.grouping import ClusterRule, Grouping, ShapeRule, TemplateRule
from breakeven.audit.metadata import MetadataGroup, group_by_metadata
from breakeven.audit.sample import SAMPLE_MAX_COUNT, sampled
from breakeven.audit.task import GroupedBy
from breakeven.audit.templates import mine

if TYPE_CHECKING:
    import numpy as np
    from ibis import Table
    from numpy.typing import NDArray

COVERED_FRACTION: Final = 0.5
"""A group with one system prompt or schema is split by templates only when they cover this share of it, and are two."""
CLUSTERED_CALLS_MAX_COUNT: Final = 12_000
CLUSTERED_FRACTION: Final = 0.05
"""Calls outside templates are clustered when they are at least this share of their group's sample."""
SHAPE_FRACTION: Final = 0.02
"""A model and length with less of its group's calls gets no task of its own."""
Embedder = Callable[[Sequence[str]], "NDArray[np.float64]"]
"""Record ids -> one embedding each, for whoever keeps texts and has a model on disk."""


@dataclass(frozen=True, slots=True)
class Mined:
    """The rules, and how each task came about."""

    grouping: Grouping
    groups: dict[str, MetadataGroup]
    grouped_by: dict[str, GroupedBy]
    """Task id -> what makes it a task; ids of groups among them."""
    group_of: dict[str, str]
    """Task id -> its group's."""
    sampled_count: int
    coverage_fraction: float | None
    """Share of the sampled prompts, outside known work, that a template covers; None without prompts."""


def mine_tasks(
    calls: Table, seed: int, say: Callable[[str], None] = lambda _: None, embed: Embedder | None = None
) -> Mined:
    """Find the tasks of `calls`."""
    say("grouping by what the log says")
    metadata = group_by_metadata(calls)
    grouping = Grouping(metadata.kept, metadata.rules)
    rows_count = sum(each.rows_count for each in metadata.groups)
    open_groups = [each for each in metadata.groups if not each.named_by_log]
    rows = _sample(calls, grouping, open_groups, rows_count, seed) if open_groups else []
    templates: list[TemplateRule] = []
    clusters: list[ClusterRule] = []
    covered = 0
    for number, group in enumerate(open_groups, start=1):
        mine_rows = [row for row in rows if row[GROUP] == group.id]
        say(f"mining templates: group {number} of {len(open_groups)}, {len(mine_rows):,} prompts")
        found = _templates(group, mine_rows)
        templates += found.rules
        covered += len(mine_rows) - len(found.rest)
        if not group.is_known_work and len(found.rest) >= CLUSTERED_FRACTION * len(mine_rows):
            say(f"clustering {len(found.rest):,} prompts of group {number} of {len(open_groups)}")
            clusters += _clusters(group, found.rest, seed, embed)
    shapes = _shapes(calls, grouping, [each for each in open_groups if not each.is_known_work])
    complete = Grouping(metadata.kept, metadata.rules, tuple(templates), tuple(clusters), tuple(shapes))
    by, group_of = _origins(metadata.groups, complete)
    coverage = covered / len(rows) if rows else None
    return Mined(complete, {each.id: each for each in metadata.groups}, by, group_of, len(rows), coverage)


def _sample(
    calls: Table, grouping: Grouping, groups: Sequence[MetadataGroup], rows_count: int, seed: int
) -> list[dict[str, Any]]:
    """Features of prompts of the open groups, by record id."""
    chosen = with_groups(sampled(calls, rows_count, seed, SAMPLE_MAX_COUNT), grouping)
    has_prompt = chosen.prompt_words.notnull() & chosen[GROUP].isin([each.id for each in groups])
    columns = ("record_id", GROUP, "prompt_words", "prompt_terms")
    found = chosen.filter(has_prompt).select(*columns).order_by("record_id")
    rows: list[dict[str, Any]] = found.to_pyarrow().to_pylist()
    return rows


@dataclass(frozen=True, slots=True)
class _Found:
    rules: tuple[TemplateRule, ...]
    rest: list[dict[str, Any]]
    """Calls outside all templates."""


def _templates(group: MetadataGroup, rows: list[dict[str, Any]]) -> _Found:
    mined = mine([row["prompt_words"] for row in rows])
    keeps = mined.coverage_fraction >= COVERED_FRACTION and len(mined.templates) > 1
    if not mined.templates or (group.is_known_work and not keeps):
        return _Found((), rows)
    rules = tuple(
        TemplateRule(group.id, each.words_count, each.words_hash, f"{group.id}.t{at}")
        for at, each in enumerate(mined.templates, start=1)
    )
    rest = [row for row, of in zip(rows, mined.template_of, strict=True) if of < 0]
    return _Found(rules, rest)


def _clusters(
    group: MetadataGroup, rows: list[dict[str, Any]], seed: int, embed: Embedder | None
) -> Iterable[ClusterRule]:
    if len(rows) < 2 * CALLS_PER_CLUSTER_COUNT:
        return ()
    step = max(len(rows) // CLUSTERED_CALLS_MAX_COUNT, 1)
    used = rows[::step]
    embedded = embed([row["record_id"] for row in used]) if embed else None
    found = cluster([row["prompt_terms"] or [] for row in used], seed, embedded)
    if found is None:
        return ()
    return tuple(
        ClusterRule(group.id, f"{group.id}.c{at}", tuple(sorted(weights.items())))
        for at, weights in enumerate(found.weights, start=1)
    )


def _shapes(calls: Table, grouping: Grouping, groups: Sequence[MetadataGroup]) -> list[ShapeRule]:
    """Model and length of the answer tell calls apart that have no prompt and no known work."""
    import ibis

    if not groups:
        return []
    table = with_groups(calls, grouping)
    blind = table.filter(table.prompt_terms.isnull() & table[GROUP].isin([each.id for each in groups]))
    keyed = blind.mutate(of_model=model_label(blind), of_length=length_class(ibis.coalesce(blind.output_tokens, 0)))
    counted = keyed.group_by(GROUP, "of_model", "of_length").aggregate(rows_count=keyed.count())
    rows = counted.order_by(GROUP, counted.rows_count.desc(), "of_model", "of_length").to_pyarrow().to_pylist()
    totals = Counter[str]()
    for row in rows:
        totals[row[GROUP]] += row["rows_count"]
    large = [row for row in rows if row["rows_count"] >= SHAPE_FRACTION * totals[row[GROUP]]]
    number = Counter[str]()
    found = []
    for row in large:
        number[row[GROUP]] += 1
        task = f"{row[GROUP]}.s{number[row[GROUP]]}"
        found.append(ShapeRule(row[GROUP], row["of_model"], row["of_length"], task))
    return found


def _origins(groups: Iterable[MetadataGroup], grouping: Grouping) -> tuple[dict[str, GroupedBy], dict[str, str]]:
    by: dict[str, GroupedBy] = {}
    group_of: dict[str, str] = {}
    for group in groups:
        by[group.id] = "log" if group.named_by_log else "metadata" if group.values else "rest"
        group_of[group.id] = group.id
    kinds: tuple[tuple[GroupedBy, Iterable[TemplateRule | ClusterRule | ShapeRule]], ...] = (
        ("template", grouping.templates),
        ("cluster", grouping.clusters),
        ("rest", grouping.shapes),
    )
    for kind, rules in kinds:
        for rule in rules:
            by[rule.task], group_of[rule.task] = kind, rule.group
    return by, group_of
