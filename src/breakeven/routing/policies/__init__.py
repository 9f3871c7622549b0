"""Policies: one file per kind, found by its name; each makes a `RoutingPolicy` of a document."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Protocol, cast

from breakeven.errors import PolicyError, nearest
from breakeven.routing.policy import RoutingPolicy
from breakeven.routing.policy_document import PolicyDocument


class PolicyKind(Protocol):
    """A module in this folder, named after its kind."""

    @staticmethod
    def policy_of(document: PolicyDocument) -> RoutingPolicy:
        """The policy that a document describes; PolicyError where the document lacks what the kind needs."""
        ...


def kinds() -> tuple[str, ...]:
    """Kinds of policies, in alphabetical order: the folder is the registry."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def policy_of(document: PolicyDocument) -> RoutingPolicy:
    """The policy that a document describes."""
    if document.kind not in kinds():
        raise PolicyError(f"no policy is of the kind {document.kind!r}; {nearest(document.kind, list(kinds()))}.")
    module = cast(PolicyKind, import_module(f"{__name__}.{document.kind}"))
    return module.policy_of(document)
