"""Queueing: figures published, brute force, and what must hold for any load."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.serving.traffic.queueing import erlang_b, erlang_c, mdc_wait_s, mmc_wait_s


def test_the_worked_example() -> None:
    assert float(erlang_c(10, 8.0)) == pytest.approx(0.4091801507964, abs=1e-13)
    assert float(mmc_wait_s(10, 8.0, 1.0)) == pytest.approx(0.2045900753982, abs=1e-13)


@given(st.integers(1, 40), st.floats(0.01, 0.999))
def test_erlang_b_and_c_are_the_sums_they_are_defined_by(servers: int, use: float) -> None:
    load = servers * use
    terms = [load**k / math.factorial(k) for k in range(servers + 1)]
    assert float(erlang_b(servers, load)) == pytest.approx(terms[-1] / sum(terms), rel=1e-10)
    waiting = terms[-1] / (1 - use)
    assert float(erlang_c(servers, load)) == pytest.approx(waiting / (sum(terms[:-1]) + waiting), rel=1e-9)


def test_hundreds_of_servers() -> None:
    servers = np.array([100, 500, 1000, 1000])
    load = np.array([90.0, 480.0, 990.0, 1.0])
    found = erlang_c(servers, load)
    logs = [[k * math.log(a) - math.lgamma(k + 1) for k in range(c + 1)] for c, a in zip(servers, load, strict=True)]
    for each, terms, c, a in zip(found, logs, servers, load, strict=True):
        top = max(terms)
        weights = [math.exp(t - top) for t in terms]
        tail = weights[-1] / (1 - a / c)
        assert each == pytest.approx(tail / (sum(weights[:-1]) + tail), rel=1e-9)


def test_one_server_is_pollaczek_khinchine() -> None:
    use = np.array([0.1, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(mdc_wait_s(1, use, 1.0), use / (2 * (1 - use)), rtol=1e-9)
    np.testing.assert_allclose(mmc_wait_s(1, use, 1.0), use / (1 - use), rtol=1e-12)


@pytest.mark.parametrize(("servers", "load"), [(2, 1.0), (5, 4.5), (20, 17.0)])
def test_fixed_service_against_the_chain_itself(servers: int, load: float) -> None:
    """The stationary distribution of the number present, from the transition matrix, one service time apart."""
    top = 400
    log_poisson = np.arange(top) * math.log(load) - load - np.array([math.lgamma(k + 1) for k in range(top)])
    arrivals = np.exp(log_poisson)
    step = np.zeros((top, top))
    for present in range(top):
        left = max(present - servers, 0)
        step[present, left:] = arrivals[: top - left]
    step[:, -1] += 1 - step.sum(axis=1)
    present = np.linalg.solve((step.T - np.eye(top))[1:, 1:], -(step.T - np.eye(top))[1:, 0])
    present = np.concatenate([[1.0], present])
    present /= present.sum()
    waiting = float(np.maximum(np.arange(top) - servers, 0) @ present)
    assert float(mdc_wait_s(servers, load, 1.0)) == pytest.approx(waiting / load, rel=1e-8)


@given(st.integers(1, 300), st.floats(0.05, 0.98), st.floats(0.01, 100.0))
def test_fixed_service_waits_less_than_exponential_and_scales(servers: int, use: float, service: float) -> None:
    rate = servers * use / service
    fixed, exponential = float(mdc_wait_s(servers, rate, service)), float(mmc_wait_s(servers, rate, service))
    assert 0 <= fixed <= exponential * (1 + 1e-9)
    assert fixed == pytest.approx(float(mdc_wait_s(servers, servers * use, 1.0)) * service, rel=1e-6, abs=1e-200)


def test_too_much_load_waits_for_ever() -> None:
    assert float(erlang_c(3, 3.0)) == 1.0
    assert np.isinf(mmc_wait_s(3, 4.0, 1.0))
    assert np.isinf(mdc_wait_s([2, 3], 3.0, 1.0)).all()
    assert float(mdc_wait_s(2, 0.0, 1.0)) == 0.0
