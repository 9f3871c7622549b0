"""Gateways compared: nginx, this one and LiteLLM in turn, under wrk on one core, before one mock upstream.

    python benchmarks/gateway/compare.py [--rounds 3] [--seconds 5] [--litellm PATH/TO/litellm]

Each proxy has core 0, wrk has core 1. Processor time per request (of the proxy's process, from /proc) is the number to
trust: requests per second also measure who else is busy. Ours runs with a policy, metering, counters, and a key with
budget and rates. Prints medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from policies import prose, task_map, text_scorer
from proxies import MODELS, Proxy, litellm, mock_upstream, nginx, ours
from wrk import Load, Measured, run_wrk

WORDS = "Where is my parcel? It was sent on Monday and the page says nothing. "


def body(characters_count: int, is_stream: bool = False) -> str:
    """A chat request."""
    return body_of((WORDS * (characters_count // len(WORDS) + 1))[:characters_count], is_stream)


def body_of(text: str, is_stream: bool = False) -> str:
    """The same with words of one's own."""
    document = {"model": MODELS[0], "messages": [{"role": "user", "content": text}], "max_tokens": 200}
    return json.dumps(document | ({"stream": True} if is_stream else {}), separators=(",", ":"))


LOADS = (
    Load("plain, 32 connections", 32, body(200)),
    Load("streams, 64 connections", 64, body(200, is_stream=True)),
    Load("plain, 1 connection", 1, body(200)),
    Load("plain, 10,000 req/s", 100, body(200), delay_mean_ms=9.5),
    Load("plain, 2 KB prompts", 32, body(2_048)),
)
TEXTS_COUNT = 64
SLOW = frozenset(("LiteLLM",))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--litellm", type=Path, help="the program `litellm` of an environment of its own")
    parser.add_argument("--processes", type=int, default=2, help="of ours, for the row that shares one port")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(mock_upstream(folder))
        map_, scorer = task_map(folder / "map"), text_scorer(folder / "scorer")
        proxies = [
            Proxy("no proxy", f"http://127.0.0.1:{port}", []),
            stack.enter_context(nginx(folder, port)),
            stack.enter_context(ours(folder, port, map_)),
            stack.enter_context(ours(folder, port, scorer, "breakeven, text scorer")),
        ]
        if options.processes > 1:
            shared = ours(folder, port, map_, f"breakeven, {options.processes} processes", options.processes)
            proxies.append(stack.enter_context(shared))
        if options.litellm is not None:
            proxies.append(stack.enter_context(litellm(folder, port, options.litellm)))
        first, *others = map(body_of, prose(TEXTS_COUNT, 2_048))
        texts = Load(f"plain, 2 KB, {TEXTS_COUNT} texts", 32, first, more_bodies=tuple(others))
        show(measured(proxies, (*LOADS, texts), options.rounds, options.seconds))


Table = dict[tuple[str, str], list[Measured]]


def measured(proxies: Sequence[Proxy], loads: Sequence[Load], rounds_count: int, seconds: float) -> Table:
    """All loads on all proxies, alternated."""
    table: Table = {}
    for proxy in proxies:  # warm
        run_wrk(proxy.url, LOADS[0], proxy.headers, 20.0 if proxy.name in SLOW else 1.0, proxy.pids)
    for _ in range(rounds_count):
        for load in loads:
            for proxy in proxies:
                if not _is_asked(proxy, load):
                    continue
                found = run_wrk(proxy.url, load, proxy.headers, seconds, proxy.pids)
                table.setdefault((load.name, proxy.name), []).append(found)
    return table


def _is_asked(proxy: Proxy, load: Load) -> bool:
    if proxy.name in SLOW:
        return "10,000" not in load.name
    return "," not in proxy.name or load.name.startswith("plain, 2 KB" if "scorer" in proxy.name else "plain, 32")


def show(table: Table) -> None:
    """The medians."""
    load_count = os.getloadavg()[0]
    print(f"load average {load_count:.1f} on {os.cpu_count()} cores")
    columns = ("req/s", "p50 ms", "p99 ms", "added p50", "added p99", "CPU us", "x nginx", "RSS MB", "errors")
    print(f"{'':26}{'':26}" + "".join(f"{each:>11}" for each in columns))
    for (load, proxy), runs in table.items():
        found = _median(runs)
        bare, nginx_ = _median(table[load, "no proxy"]), _median(table[load, "nginx"])
        ratio = found.cpu_us / nginx_.cpu_us if nginx_.cpu_us else 0.0
        figures = (
            f"{found.req_per_s:11,.0f}{found.p50_ms:11.2f}{found.p99_ms:11.2f}"
            f"{found.p50_ms - bare.p50_ms:11.2f}{found.p99_ms - bare.p99_ms:11.2f}"
            f"{found.cpu_us:11.1f}{ratio:11.2f}{found.rss_mb:11.0f}{found.errors_count:11d}"
        )
        print(f"{load:26}{proxy:26}{figures}")


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(
        req_per_s=median(each.req_per_s for each in runs),
        p50_ms=median(each.p50_ms for each in runs),
        p99_ms=median(each.p99_ms for each in runs),
        cpu_us=median(each.cpu_us for each in runs),
        rss_mb=max(each.rss_mb for each in runs),
        errors_count=sum(each.errors_count for each in runs),
    )


if __name__ == "__main__":
    main()
