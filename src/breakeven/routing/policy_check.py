"""Policy check: what a policy document must satisfy before anything decides by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from breakeven.errors import PolicyError, nearest
from breakeven.routing.policy_document import CascadePlan, GroupChoice, PolicyDocument
from breakeven.routing.trial_check import check_trial


def check_document(document: PolicyDocument) -> None:
    """Refuse a document that contradicts itself; PolicyError says where."""
    names = document.model_names
    if not names or len(set(names)) < len(names) or not all(names):
        raise PolicyError(f"models: saw {list(names)}; wanted one name or more, each once.")
    _known(names, [document.default_model], "default_model")
    if len(set(document.levels)) < len(document.levels):
        raise PolicyError(f"levels: saw {list(document.levels)}; wanted each once.")
    for each in document.models:
        prices = (each.input_usd_per_mtok, each.output_usd_per_mtok, each.usd_per_request)
        _not_negative([price for price in prices if price is not None], f"prices of {each.name}")
    for task, allowed in document.allowed_by_task.items():
        _known(names, allowed, f"allowed_by_task.{task}")
        if not allowed:
            raise PolicyError(f"allowed_by_task.{task}: saw no model; wanted one or more.")
    for at, group in enumerate(document.groups):
        _check_group(group, document, f"groups[{at}]")
    if len({each.path for each in document.groups}) < len(document.groups):
        raise PolicyError("groups: two have the same path; learn again.")
    _not_negative([document.value_usd_per_success or 0.0], "value_usd_per_success")
    _not_negative(document.value_usd_per_success_by_task.values(), "value_usd_per_success_by_task")
    _check_floors(document)
    _not_negative(document.failure_usd_per_request.values(), "failure_usd_per_request")
    _not_negative((document.capacity_usd_per_request or {}).values(), "capacity_usd_per_request")
    _known(names, document.capacity_usd_per_request or {}, "capacity_usd_per_request")
    for task, capacity in document.capacity_usd_per_request_by_task.items():
        _not_negative(capacity.values(), f"capacity_usd_per_request_by_task.{task}")
        _known(names, capacity, f"capacity_usd_per_request_by_task.{task}")
    if document.scorer is not None and document.scorer.models != names:
        raise PolicyError(f"the scorer knows the models {list(document.scorer.models)}, the policy {list(names)}.")
    if document.cascade is not None:
        _check_cascade(document.cascade, names)
    if document.trial is not None:
        check_trial(document.trial, document.allowed_by_task)


def _check_group(group: GroupChoice, document: PolicyDocument, where: str) -> None:
    names = document.model_names
    if len(group.path) > len(document.levels):
        raise PolicyError(f"{where}: the path {list(group.path)} is longer than the levels {list(document.levels)}.")
    _known(names, [group.model, *group.allowed_models], where)
    for part in (group.success_fractions, group.usd_per_request, group.share_fractions):
        _known(names, part, where)
    _not_negative(group.usd_per_request.values(), f"{where}: usd_per_request")
    for part in (group.success_fractions, group.share_fractions):
        if bad := [value for value in part.values() if not 0 <= value <= 1]:
            raise PolicyError(f"{where}: saw {bad[0]}, wanted a fraction from 0 to 1.")
    if group.tries_count < 0:
        raise PolicyError(f"{where}: tries_count is {group.tries_count}, and is never negative.")


def _check_floors(document: PolicyDocument) -> None:
    floors = () if document.guarantee is None else document.guarantee.by_task
    if len({each.task for each in floors}) < len(floors):
        raise PolicyError("guarantee.by_task: two floors are of one task; learn again.")
    for each in floors:
        if not each.task or each.quality_floor_ratio <= 0:
            seen = f"{each.quality_floor_ratio:g} for {each.task!r}"
            raise PolicyError(f"guarantee.by_task: saw {seen}; wanted a task and a ratio above 0.")


def _check_cascade(cascade: CascadePlan, names: tuple[str, ...]) -> None:
    for order in (cascade.order, *cascade.order_by_task.values()):
        _known(names, order, "cascade")
        if not order or len(set(order)) < len(order):
            raise PolicyError(f"cascade: saw the order {list(order)}; wanted one model or more, each once.")
    if cascade.agreement_model is not None:
        _known(names, [cascade.agreement_model], "cascade.agreement_model")
    least = {"": cascade.confidence_min_fraction, **cascade.confidence_min_fraction_by_task}
    for task, each in least.items():
        if each is not None and not 0 <= each <= 1:
            where = f"cascade.confidence_min_fraction{f'_by_task.{task}' if task else ''}"
            raise PolicyError(f"{where}: saw {each}, wanted a fraction from 0 to 1.")


def _known(names: tuple[str, ...], used: Iterable[str], where: str) -> None:
    for each in used:
        if each not in names:
            raise PolicyError(
                f"{where}: the model {each!r} does not occur in the policy; {nearest(each, list(names))}."
            )


def _not_negative(values: Iterable[float] | Mapping[str, float], where: str) -> None:
    for each in values:
        if not isinstance(each, str) and each < 0:
            raise PolicyError(f"{where}: saw {each}, wanted 0 or more.")
