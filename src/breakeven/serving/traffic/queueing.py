"""Queueing: the classical formulas of servers that each take one request at a time: Erlang B and C, M/M/c, M/D/c.

They are the wrong physics for a replica with continuous batching, whose speed depends on how many requests it runs;
they are exact where it does not (a step that costs the same whatever the batch), and there the simulation is held
against them. Arguments are scalars or arrays that broadcast; "M" is Poisson arrivals, "D" a fixed time of service.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_TERMS_AT_ONCE: Final = 4096
_TERMS_MAX: Final = 1 << 26


def erlang_b(servers_count: ArrayLike, busy_count: ArrayLike) -> Floats:
    """Share of requests lost when none may wait; `busy_count` is the offered load in erlang, requests per service time.

    By the recursion on the inverse, 1/B(n) = 1 + n/a 1/B(n-1), which neither overflows nor cancels.

    >>> erlang_b([1, 2], 1.0).tolist()
    [0.5, 0.2]
    """
    servers, load = np.broadcast_arrays(np.asarray(servers_count, np.int64), np.asarray(busy_count, np.float64))
    inverse = np.ones(servers.shape)
    with np.errstate(over="ignore", divide="ignore"):
        for each in range(1, int(servers.max(initial=0)) + 1):
            inverse = np.where(each <= servers, 1 + each / load * inverse, inverse)
    return np.asarray(1 / inverse)


def erlang_c(servers_count: ArrayLike, busy_count: ArrayLike) -> Floats:
    """Share of requests that must wait; 1 when the load is more than the servers can do.

    >>> f"{float(erlang_c(10, 8.0)):.13f}"
    '0.4091801507964'
    """
    lost = erlang_b(servers_count, busy_count)
    use = np.asarray(busy_count, np.float64) / np.asarray(servers_count, np.int64)
    return np.asarray(np.where(use < 1, lost / np.where(use < 1, 1 - use * (1 - lost), 1.0), 1.0))


def mmc_wait_s(servers_count: ArrayLike, arrival_req_per_s: ArrayLike, service_s: ArrayLike) -> Floats:
    """Mean wait before service, exponential times of service; infinite when the load is too much.

    >>> f"{float(mmc_wait_s(10, 8.0, 1.0)):.13f}"
    '0.2045900753982'
    """
    servers, service = np.asarray(servers_count, np.float64), np.asarray(service_s, np.float64)
    load = np.asarray(arrival_req_per_s, np.float64) * service
    free = np.where(load < servers, servers - load, 1.0)
    return np.asarray(np.where(load < servers, erlang_c(servers_count, load) * service / free, np.inf))


def mdc_wait_s(servers_count: ArrayLike, arrival_req_per_s: ArrayLike, service_s: ArrayLike) -> Floats:
    """Mean wait before service, fixed time of service; exact; infinite when the load is too much.

    The number waiting, seen once per service time, is a random walk kept above zero (Crommelin 1932), whose mean is
    the sum over n of E[(Poisson(n a) - n c)+] / n (Spitzer 1956): positive terms that fall geometrically.

    >>> round(float(mdc_wait_s(1, 0.5, 1.0)), 12)
    0.5
    """
    arrays = np.broadcast_arrays(
        np.asarray(servers_count, np.int64),
        np.asarray(arrival_req_per_s, np.float64),
        np.asarray(service_s, np.float64),
    )
    waits = [
        _waiting_count(int(servers), float(rate * service)) / rate if rate > 0 else 0.0
        for servers, rate, service in zip(*(each.ravel() for each in arrays), strict=True)
    ]
    return np.asarray(waits, np.float64).reshape(arrays[0].shape)


def _waiting_count(servers: int, load: float) -> float:
    """Mean number waiting, M/D/c."""
    if load >= servers:
        return np.inf
    total, first = 0.0, 1
    while first < _TERMS_MAX:
        terms = _excess(np.arange(first, first + _TERMS_AT_ONCE, dtype=np.float64), servers, load)
        total += float(terms.sum())
        if terms[-1] <= 1e-17 * total:
            break
        first += _TERMS_AT_ONCE
    return total


def _excess(n: Floats, servers: int, load: float) -> Floats:
    """E[(Poisson(n load) - n servers)+] / n."""
    from scipy.special import gammainc, gammaln

    mean, whole = n * load, n * servers
    at_least: Any = gammainc(whole, mean)
    one_less = np.exp((whole - 1) * np.log(mean) - mean - gammaln(whole))
    return np.asarray(np.maximum(mean * one_less - (whole - mean) * at_least, 0.0) / n)
