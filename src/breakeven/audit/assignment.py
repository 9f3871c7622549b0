"""Assignment: every Call finds its task by one Ibis expression, whatever the engine and the number of calls.

Rules become small tables that the Calls are joined with: combinations of metadata first, then the longest template,
then the cluster whose terms weigh most, then model and length; the rest is the group's own task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.grouping import (
    MEDIUM_MAX_TOKENS,
    METADATA,
    REST,
    SHORT_MAX_TOKENS,
    Grouping,
    TemplateRule,
)
from breakeven.audit.metadata import trimmed

if TYPE_CHECKING:
    from ibis import Table

    from breakeven.audit.task import Audit

GROUP: Final = "audit_group"
TASK: Final = "audit_task"
_SEPARATOR: Final = "\x1f"


def assigned(calls: Table, audit: Audit) -> Table:
    """The Calls with `task` set from the audit where the log names none (`task_source` then is ``audit``)."""
    import ibis

    found = with_tasks(calls, audit.grouping)
    known = audit.grouping.names or {}
    names = ibis.memtable(
        {"named_task": list(known.keys()), "task_name": list(known.values())},
        schema={"named_task": "string", "task_name": "string"},
    )
    joined = found.left_join(names, found[TASK] == names.named_task)
    is_named = joined.task.notnull() & (joined.task != "")
    source = ibis.ifelse(is_named | joined.task_name.isnull(), joined.task_source, "audit")
    named = joined.mutate(task=ibis.ifelse(is_named, joined.task, joined.task_name), task_source=source)
    return named.select(*calls.columns)


def with_tasks(calls: Table, grouping: Grouping) -> Table:
    """`calls` with the columns `audit_group` and `audit_task` (ids)."""
    import ibis

    table = with_groups(calls, grouping)
    table = _with_templates(table, grouping.templates)
    table = _with_clusters(table, grouping)
    table = _with_shapes(table, grouping)
    task = ibis.coalesce(table.template_task, table.cluster_task, table.shape_task, table[GROUP])
    return table.mutate(**{TASK: task}).drop("template_task", "cluster_task", "shape_task")


def with_groups(calls: Table, grouping: Grouping) -> Table:
    """`calls` with the column `audit_group`."""
    import ibis

    keyed = calls.mutate(metadata_key=_key([trimmed(calls, name, grouping.kept.get(name, ())) for name in METADATA]))
    rules = ibis.memtable(
        {
            "rule_key": [_SEPARATOR.join(rule.values) for rule in grouping.metadata],
            "rule_group": [rule.group for rule in grouping.metadata],
        },
        schema={"rule_key": "string", "rule_group": "string"},
    )
    joined = keyed.left_join(rules, keyed.metadata_key == rules.rule_key)
    return joined.mutate(**{GROUP: ibis.coalesce(joined.rule_group, REST)}).select(*calls.columns, GROUP)


def length_class(output_tokens: Any) -> Any:
    """short, medium or long, as a column."""
    import ibis

    longer = ibis.ifelse(output_tokens <= MEDIUM_MAX_TOKENS, "medium", "long")
    return ibis.ifelse(output_tokens <= SHORT_MAX_TOKENS, "short", longer)


def model_label(table: Any) -> Any:
    """The model that answered, as the log writes it; empty when it names none."""
    import ibis

    return ibis.coalesce(table.model_key, table.response_model, table.request_model, ibis.literal(""))


def _key(columns: Sequence[Any]) -> Any:
    key = columns[0]
    for each in columns[1:]:
        key = key + _SEPARATOR + each
    return key


def _with_templates(table: Table, rules: Sequence[TemplateRule]) -> Table:
    """One small join per length of template, longest first."""
    import ibis

    columns = table.columns
    found = []
    for at, words_count in enumerate(sorted({rule.words_count for rule in rules}, reverse=True)):
        mine = [rule for rule in rules if rule.words_count == words_count]
        small = ibis.memtable(
            {
                f"of_group_{at}": [rule.group for rule in mine],
                f"of_hash_{at}": [rule.words_hash for rule in mine],
                f"of_task_{at}": [rule.task for rule in mine],
            },
            schema={f"of_group_{at}": "string", f"of_hash_{at}": "int64", f"of_task_{at}": "string"},
        )
        word: Any = table.prompt_words
        hashed = ibis.ifelse(word.length() >= words_count, word[words_count - 1], ibis.null("int64"))
        table = table.mutate(word_hash=hashed)
        table = table.left_join(
            small, [table[GROUP] == small[f"of_group_{at}"], table.word_hash == small[f"of_hash_{at}"]]
        ).drop("word_hash")
        found.append(f"of_task_{at}")
    task = ibis.coalesce(*(table[name] for name in found)) if found else ibis.null("string")
    return table.mutate(template_task=task).select(*columns, "template_task")


def _with_clusters(table: Table, grouping: Grouping) -> Table:
    """Terms of the calls in question, joined with the weights, added up by call, the heaviest cluster taken."""
    import ibis

    rows = [(rule.group, rule.task, term, weight) for rule in grouping.clusters for term, weight in rule.weights]
    if not rows:
        return table.mutate(cluster_task=ibis.null("string"))
    weights = ibis.memtable(
        {
            "in_group": [row[0] for row in rows],
            "in_task": [row[1] for row in rows],
            "in_term": [row[2] for row in rows],
            "term_weight": [round(1000 * row[3]) for row in rows],
        },
        schema={"in_group": "string", "in_task": "string", "in_term": "int64", "term_weight": "int64"},
    )
    groups = sorted({rule.group for rule in grouping.clusters})
    open_calls = table.filter(table.template_task.isnull() & table[GROUP].isin(groups) & table.prompt_terms.notnull())
    terms = open_calls.select("record_id", GROUP, term=open_calls.prompt_terms.unnest())
    joined = terms.join(weights, [terms[GROUP] == weights.in_group, terms.term == weights.in_term])
    summed = joined.group_by("record_id", "in_task").aggregate(weight=joined.term_weight.sum())
    order = ibis.row_number().over(group_by=summed.record_id, order_by=[summed.weight.desc(), summed.in_task])
    best = summed.mutate(place=order).filter(lambda each: each.place == 0)
    best = best.select(cluster_record=best.record_id, cluster_task=best.in_task)
    return table.left_join(best, table.record_id == best.cluster_record).drop("cluster_record")


def _with_shapes(table: Table, grouping: Grouping) -> Table:
    """Calls without a prompt by model and length of the answer."""
    import ibis

    if not grouping.shapes:
        return table.mutate(shape_task=ibis.null("string"))
    rules = ibis.memtable(
        {
            "shape_group": [rule.group for rule in grouping.shapes],
            "shape_model": [rule.model for rule in grouping.shapes],
            "shape_length": [rule.length for rule in grouping.shapes],
            "shape_task": [rule.task for rule in grouping.shapes],
        },
        schema=dict.fromkeys(("shape_group", "shape_model", "shape_length", "shape_task"), "string"),
    )
    columns = table.columns
    keyed = table.mutate(of_model=model_label(table), of_length=length_class(ibis.coalesce(table.output_tokens, 0)))
    joined = keyed.left_join(
        rules,
        [
            keyed[GROUP] == rules.shape_group,
            keyed.of_model == rules.shape_model,
            keyed.of_length == rules.shape_length,
            keyed.prompt_terms.isnull(),
        ],
    )
    return joined.select(*columns, "shape_task")
