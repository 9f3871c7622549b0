"""Routing: which model answers a request, by a policy that was learnt offline; needs numpy at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from breakeven.routing.policy_file import LoadedPolicy


def load(folder: Path | str) -> LoadedPolicy:
    """The policy in a folder: `breakeven.routing.load("policy/").route("Where is my parcel?", task="faq").model`."""
    from breakeven.routing import policy_file

    return policy_file.load(folder)
