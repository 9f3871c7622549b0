"""GPU mix: the cheapest whole GPUs of several types that carry a workload of requests of several sizes.

Griggs et al., "Mélange: cost efficient large language model serving by exploiting GPU heterogeneity", arXiv 2404.14527,
section 5.3: each size of request is cut into slices, each slice goes to one type of GPU, and of each type as many GPUs
are rented as its slices keep busy. Solved exactly (SciPy's HiGHS); with requests that may be split at will, shares of a
slice may go to different types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.errors import CatalogError

_WHOLE = 1e-6
"""How far from a whole number a solution may be."""


@dataclass(frozen=True, slots=True)
class GpuMix:
    """Whole GPUs of each type, in the order asked, and their rent."""

    gpu_counts: tuple[int, ...]
    usd_per_hour: float


def gpus_kept_busy(req_per_s: float, shares: ArrayLike, gpu_req_per_s: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """GPUs that each size of request would keep busy if it went to one type; sizes down, types across.

    >>> gpus_kept_busy(30.0, [0.2, 0.1], [[2.0, 1.0], [20.0, 20.0]]).tolist()
    [[3.0, 0.3], [3.0, 0.15]]
    """
    rates = req_per_s * np.asarray(shares, dtype=np.float64).ravel()
    return np.stack([rates / np.asarray(each, dtype=np.float64).ravel() for each in gpu_req_per_s], axis=1)


def cheapest_mix(
    gpu_usd_per_hour: Sequence[float], busy: NDArray[np.float64], *, slices_count: int = 1, split: bool = False
) -> GpuMix:
    """The cheapest mix for `busy` (see `gpus_kept_busy`), each size cut into `slices_count` equal slices.

    >>> cheapest_mix([1.01, 3.67], np.array([[3.0, 0.3], [3.0, 0.15], [3.0, 0.375], [3.0, 0.3]])).gpu_counts
    (3, 1)
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    load = np.repeat(busy / slices_count, slices_count, axis=0)
    slices, types = load.shape
    prices = np.asarray(gpu_usd_per_hour, dtype=np.float64)
    # unknowns: slice by slice the share that goes to each type, then the GPUs of each type
    cost = np.concatenate([np.zeros(slices * types), prices])
    each_slice_served = np.hstack([np.kron(np.eye(slices), np.ones((1, types))), np.zeros((slices, types))])
    room = np.hstack([-np.hstack([np.diag(row) for row in load]), np.eye(types)])
    whole = np.concatenate([np.zeros(slices * types) if split else np.ones(slices * types), np.ones(types)])
    upper = np.concatenate([np.ones(slices * types), np.full(types, np.inf)])
    solved = milp(
        cost,
        constraints=[LinearConstraint(each_slice_served, 1, 1), LinearConstraint(room, 0, np.inf)],
        integrality=whole,
        bounds=Bounds(np.zeros_like(upper), upper),
        options={"mip_rel_gap": 0.0},
    )
    if solved.x is None:
        raise CatalogError(f"no mix of these GPUs carries the workload: {solved.message}")
    counts = solved.x[-types:]
    assert np.allclose(counts, np.round(counts), atol=_WHOLE)
    gpus = tuple(int(each) for each in np.round(counts))
    return GpuMix(gpus, float(np.dot(gpus, prices)))
