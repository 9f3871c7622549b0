"""Discovery: every module in this folder that offers `CLAIMS`. No list to edit."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from breakeven.claims import guide as folder
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Finding, GuideClaim
from breakeven.errors import CatalogError, UnknownName, UnknownPrice, nearest


def guide_claims(only: tuple[str, ...] = ()) -> tuple[GuideClaim, ...]:
    """All claims in the guide's order, or those named; refuses an unknown name."""
    modules = [import_module(f"{folder.__name__}.{each.name}") for each in pkgutil.iter_modules(folder.__path__)]
    found = sorted(
        (claim for module in modules for claim in getattr(module, "CLAIMS", ())), key=lambda each: each.order
    )
    known = [each.id for each in found]
    if len(set(known)) != len(known):
        raise UnknownName(
            f"two claims have one id: {', '.join(sorted({each for each in known if known.count(each) > 1}))}"
        )
    for name in only:
        if name not in known:
            raise UnknownName(f"no claim '{name}'; {nearest(name, known)}")
    return tuple(each for each in found if not only or each.id in only)


def finding_of(claim: GuideClaim, bench: Bench) -> Finding:
    """The finding; a claim that needs what cannot be had here is said to be not tested, with the reason."""
    try:
        return claim.test(bench)
    except (UnknownPrice, CatalogError) as error:
        reason = str(error).replace("{", "(").replace("}", ")")
        return Finding("not tested", "", "not tested", f"Not tested here: {reason}", (), bench.workload, ())
