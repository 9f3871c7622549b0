"""Multiplicity: which tasks may be accepted when several were tried at once.

With Bonferroni each of m tasks must reach m / alpha: the chance that any bad one is accepted is alpha at most. e-BH
(Wang and Ramdas, JRSS B 84, 2022) accepts the k tasks with the largest e-values when the k-th reaches m / (k alpha): of
the accepted ones a share of alpha at most is expected to be bad, whatever the dependence between tasks; where all are
bad, that is the chance of accepting any. It accepts all that Bonferroni does, and more where many tasks are good. Both
hold for the e-values of one moment, whichever moment one stops at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from breakeven.pilot.design import Multiplicity


def accepted(ln_e_by_task: Mapping[str, float], alpha_fraction: float, method: Multiplicity = "e-bh") -> frozenset[str]:
    """Tasks whose logarithms of e-values are large enough together.

    >>> ln_e = {"faq": math.log(30), "tags": math.log(25), "code": 0.0}
    >>> sorted(accepted(ln_e, 0.05, "bonferroni")), sorted(accepted(ln_e, 0.05, "e-bh"))
    ([], [])
    >>> sorted(accepted(ln_e | {"faq": math.log(31), "tags": math.log(30.5)}, 0.05, "e-bh"))
    ['faq', 'tags']
    """
    return frozenset(
        task for task, ln_e in ln_e_by_task.items() if ln_e >= ln_boundary(ln_e_by_task, task, alpha_fraction, method)
    )


def ln_boundary(
    ln_e_by_task: Mapping[str, float], task: str, alpha_fraction: float, method: Multiplicity = "e-bh"
) -> float:
    """What this task's logarithm must reach, the others being where they are.

    >>> round(math.exp(ln_boundary({"faq": 9.0, "tags": 0.0}, "tags", 0.05)), 6)
    20.0
    """
    tasks = len(ln_e_by_task)
    if method == "bonferroni":
        return ln_alone(alpha_fraction) + math.log(tasks)
    others = [ln_e for name, ln_e in ln_e_by_task.items() if name != task]
    for together in range(tasks, 1, -1):
        needed = ln_alone(alpha_fraction) + math.log(tasks / together)
        if sum(ln_e >= needed for ln_e in others) >= together - 1:
            return needed
    return ln_alone(alpha_fraction) + math.log(tasks)


def ln_alone(alpha_fraction: float) -> float:
    """Boundary of one hypothesis."""
    return -math.log(alpha_fraction)
