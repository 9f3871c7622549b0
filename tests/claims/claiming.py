"""What tests of claims share: a claim from a few lines of YAML, and its figures."""

from __future__ import annotations

from datetime import date
from functools import cache
from textwrap import dedent

from breakeven.catalog.load import load_catalog
from breakeven.claims.bundled import bundled_claim
from breakeven.claims.check import CheckedClaim, Row, check_claim
from breakeven.claims.file import parse_claim

AS_OF = date(2026, 11, 23)
HEAD = "title: a claim\nsource: {title: somebody, link: somewhere}\n"


def checked(text: str, *, head: bool = True) -> CheckedClaim:
    """Check a claim given as YAML below a made-up title and source."""
    return check_claim(parse_claim((HEAD if head else "") + dedent(text), "claim.yaml"), load_catalog(AS_OF))


@cache
def checked_case(name: str) -> CheckedClaim:
    """Check a published case, once for all that look at it."""
    return check_claim(bundled_claim(name), load_catalog(AS_OF))


def figure(text: str, name: str) -> float:
    """The recomputed value of one figure."""
    value = row_of(checked(text), name).value
    assert value is not None
    return value


def row_of(claim: CheckedClaim, name: str) -> Row:
    """One row by its name."""
    return next(row for row in claim.rows if row.name == name)
