"""Made up: what a story's people and machines do between two commands: label, judge answers, run a gateway.

Outcomes and labels follow the company's planted success; the gateway's Calls are written as the gateway writes them,
at the prices of its file. None of it reaches a verb except through a file or a key that a user would have.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.usage.synthetic import ERROR_FRACTION, hours_of_calls
from breakeven.usage.synthetic_company import (
    FIRST_TOKEN_S,
    SECONDS_PER_OUTPUT_TOKEN,
    Company,
    Requests,
    answers_of,
    requests_of,
)

OUTCOME_COLUMNS: Final = ("request_id", "task", "prompt", "model", "success", "cost_usd", "source")
SHADOW_NUMBER: Final = 99
"""Of the attempt that a shadow is, in the ids of the gateway's Calls."""


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """USD per million tokens, and where it was read."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_usd_per_mtok: float
    source: str

    def cost_usd(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0.0) -> float:
        """Of one call."""
        fresh = (input_tokens - cached_tokens) * self.input_usd_per_mtok + cached_tokens * self.cached_usd_per_mtok
        return (fresh + output_tokens * self.output_usd_per_mtok) / 1e6


def price_of(model: str, as_of: datetime) -> TokenPrice:
    """The list price of `provider/model`, or the median of all who sell an open model."""
    from breakeven.catalog.load import load_catalog
    from breakeven.catalog.sellers import seller_prices
    from breakeven.catalog.token_prices import PriceKey, price_table
    from breakeven.errors import UnknownPrice

    provider, _, name = model.partition("/")
    if name:
        row = price_table([PriceKey(provider, name)], as_of, as_of, catalog=load_catalog(as_of.date()))[0]
        if row.input_usd_per_mtok is not None and row.output_usd_per_mtok is not None:
            cached = row.cache_read_usd_per_mtok
            cached = row.input_usd_per_mtok if cached is None else cached
            return TokenPrice(row.input_usd_per_mtok, row.output_usd_per_mtok, cached, "its list price")
    sold = seller_prices(model, as_of.date())
    if sold is None:
        raise UnknownPrice(f"no price of {model} on {as_of.date()}; a story needs one: name another model")
    where = f"the median of {len(sold.sellers)} sellers"
    return TokenPrice(sold.input_usd_per_mtok, sold.output_usd_per_mtok, sold.input_usd_per_mtok, where)


def write_outcomes(
    path: Path, company: Company, models: tuple[str, ...], prices: Sequence[TokenPrice], count: int, seed: int
) -> None:
    """All models' answers to a random sample of requests, judged by people."""
    rng = np.random.default_rng(seed)
    asked = requests_of(company, count, rng)
    does = answers_of(company, asked, models, rng)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(OUTCOME_COLUMNS)
        for at in range(count):
            work = company.works[asked.work[at]]
            inputs, outputs = int(asked.input_tokens[at]), int(asked.output_tokens[at])
            for which, (model, price) in enumerate(zip(models, prices, strict=True)):
                cached = int(inputs * work.cached_input_fraction)
                usd = round(price.cost_usd(inputs, outputs, cached), 8)
                told = (f"made-up-{seed}-{at}", work.task, asked.texts[at], model, int(does[at, which]), usd, "gold")
                rows.writerow(told)


def labels_typed(calls: Sequence[dict[str, Any]], company: Company, model: str, seed: int) -> str:
    """The keys of a person who labels these calls: 1 where the model's answer would do, else 2."""
    rng = np.random.default_rng(seed)
    chances = {work.task: work.success_fraction(model) for work in company.works}
    return "".join("1\n" if rng.random() < chances[each["task"]["name"]] else "2\n" for each in calls)


@dataclass(frozen=True, slots=True)
class ShadowTraffic:
    """Requests that a gateway's shadow copied to the candidate."""

    company: Company
    models: tuple[str, str]
    prices: tuple[TokenPrice, TokenPrice]
    tasks: tuple[str, ...]
    count_per_day: int
    days_count: int
    begins: datetime
    seed: int

    def days(self, state: Path, policy_hash: str) -> Iterator[datetime]:
        """Write a day of Calls into a gateway's state folder, then give its evening, on which somebody looks."""
        from breakeven.gateway.metering.compaction import compact_once

        rng = np.random.default_rng(self.seed)
        count = self.count_per_day * self.days_count
        hours = hours_of_calls(rng, count, self.days_count)
        asked = requests_of(self.company, count, rng, only=self.tasks)
        does = answers_of(self.company, asked, self.models, rng)
        failed = rng.random((count, 2)) < ERROR_FRACTION
        (state / "write-ahead").mkdir(parents=True, exist_ok=True)
        midnight = self.begins.replace(hour=0, minute=0)
        for day in range(self.days_count):
            evening = midnight + timedelta(days=day, hours=20)
            with (state / "write-ahead" / f"relay-0-{day:03d}.jsonl").open("w", encoding="utf-8") as file:
                for at in np.flatnonzero((hours >= 24 * day - 4) & (hours < 24 * day + 20)).tolist():
                    when = midnight + timedelta(hours=float(hours[at]))
                    if when < self.begins:
                        continue
                    for arm in (0, 1):
                        is_ok, did = not failed[at, arm], bool(does[at, arm])
                        line = self._call(at, arm, when, asked, is_ok=is_ok, does=did)
                        file.write(json.dumps({**line, "policy_hash": policy_hash}) + "\n")
            compact_once(state, spill=state / "spill")
            yield evening

    def _call(self, at: int, arm: int, when: datetime, asked: Requests, *, is_ok: bool, does: bool) -> dict[str, Any]:
        """A Call of the baseline, whose answer the client gets, or of its shadow."""
        name, model, price = f"made-up-{at:06d}", self.models[arm], self.prices[arm]
        work = self.company.works[asked.work[at]]
        inputs, outputs = int(asked.input_tokens[at]), int(asked.output_tokens[at]) if is_ok else 0
        cached = int(inputs * work.cached_input_fraction)
        when += timedelta(milliseconds=4 * arm)
        beside = {"arm": "shadow", "parent_id": name} if arm else {"arm": "baseline", "propensity": 1.0}
        return {
            "record_id": f"{name}-{SHADOW_NUMBER}" if arm else name,
            "start_time": when.isoformat(timespec="microseconds"),
            "duration_s": round(FIRST_TOKEN_S + SECONDS_PER_OUTPUT_TOKEN * outputs * (0.6 if arm else 1.0), 3),
            "model_key": model,
            "request_model": "auto",
            "input_tokens": inputs,
            "cache_read_tokens": cached,
            "output_tokens": outputs,
            "cost_usd": round(price.cost_usd(inputs, outputs, cached), 8),
            "status": "ok" if is_ok else "error",
            "task": work.task,
            "application": f"{self.company.application} (synthetic)",
            "source": "synthetic",
            "outcome": float(does and is_ok),
            "outcome_source": "validator",
            **beside,
        }
