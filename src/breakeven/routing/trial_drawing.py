"""Trial drawing: arms, copies and audits by hash: every process draws alike, and a unit always gets the same arm."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

_HASHES_COUNT: Final = 2**64


def drawn_fraction(experiment: str, unit: str) -> float:
    """A number from 0 to below 1 that a unit has in an experiment, for good.

    >>> drawn_fraction("pilot-1", "ann") == drawn_fraction("pilot-1", "ann") != drawn_fraction("pilot-2", "ann")
    True
    """
    name, value = experiment.encode("utf-8", "surrogatepass"), unit.encode("utf-8", "surrogatepass")
    digest = blake2b(len(name).to_bytes(4, "big") + name + value, digest_size=8).digest()
    # the upper 53 bits: what a float holds exactly, so it stays below 1
    return (int.from_bytes(digest, "big") >> 11) / (_HASHES_COUNT >> 11)


def arm_of(experiment: str, unit: str, shares: Mapping[str, float]) -> tuple[str, float]:
    """The arm of a unit and the chance that it had of getting it.

    >>> arm_of("pilot-1", "ann", {"old": 0.5, "new": 0.5})
    ('new', 0.5)
    """
    total = sum(shares.values())
    at = drawn_fraction(experiment, unit) * total
    last = ""
    for arm, share in shares.items():
        if share <= 0:
            continue
        at -= share
        last = arm
        if at < 0:
            break
    return last, shares[last] / total


def is_copied(experiment: str, request_id: str, share_fraction: float) -> bool:
    """Whether a model (a pilot's candidate) gets a copy of a request."""
    return drawn_fraction(f"shadow {experiment}", request_id) < share_fraction


def is_audited(pilot: str, request_id: str, audit_fraction: float) -> bool:
    """Whether people are asked about the answers to a request: known by its id, so before anybody has seen them.

    >>> is_audited("faq-4f0c", "r-1", 1.0), is_audited("faq-4f0c", "r-1", 0.0)
    (True, False)
    """
    return drawn_fraction(f"audit {pilot}", request_id) < audit_fraction
