"""bench: measure an OpenAI-compatible endpoint under load: tokens per second, time to first token, failures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from breakeven.bench.load import Level, OpenLoop
    from breakeven.bench.measurement import Order
    from breakeven.bench.prompts import PromptMaker

LEAST_REQUESTS_COUNT = 16
REQUESTS_PER_USER_COUNT = 4
INTERRUPTED = 130


@click.command(
    epilog="Example: breakeven bench http://localhost:8000 --model my-model --concurrency 1,4,16 --out results.json"
    "   |   breakeven bench --self-test"
)
@click.argument("url", required=False)
@click.option("--model", metavar="NAME", help="The model, as the server calls it.")
@click.option("--completions", is_flag=True, help="Ask /v1/completions instead of /v1/chat/completions.")
@click.option("--concurrency", metavar="N,N,...", help="Closed loop: users that wait for their answers. [1,4,16]")
@click.option("--rate", "rates", metavar="R,R,...", help="Open loop: Poisson arrivals, requests per second.")
@click.option("--trace", type=click.Path(path_type=Path), help="Open loop: arrival times and lengths of a usage log.")
@click.option("--trace-format", metavar="NAME", help="Format of the log; recognised by itself when absent.")
@click.option("--speedup", type=float, default=1.0, show_default=True, help="Play the trace that much faster.")
@click.option("--input-tokens", type=int, default=256, show_default=True, help="Tokens of a prompt.")
@click.option("--output-tokens", type=int, default=128, show_default=True, help="Tokens of an answer.")
@click.option(
    "--length-spread", type=float, default=0.0, show_default=True, help="0.5: lengths from half to 1.5 times."
)
@click.option("--shared-prefix-tokens", type=int, default=0, help="Tokens all prompts begin with, to test caching.")
@click.option("--requests", type=int, help="Requests per level. [4 per user, at least 16; open loop: 100]")
@click.option("--duration", type=float, metavar="S", help="Start requests for so many seconds per level.")
@click.option("--warm-up", type=int, default=4, show_default=True, help="Requests before the first level.")
@click.option("--no-ignore-eos", is_flag=True, help="Let the model end its answers where it likes.")
@click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the API key.")
@click.option("--connect-timeout", type=float, default=10.0, show_default=True, metavar="S")
@click.option("--first-token-timeout", type=float, default=120.0, show_default=True, metavar="S")
@click.option("--idle-timeout", type=float, default=60.0, show_default=True, metavar="S", help="Between two tokens.")
@click.option("--timeout", type=float, default=900.0, show_default=True, metavar="S", help="Of a whole answer.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of lengths and arrivals; prompts never repeat.")
@click.option("--raw", is_flag=True, help="Keep every request, with the time of each event, in the results.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the results to a file.")
@click.option("--self-test", is_flag=True, help="Measure the generator itself against a mock server; needs no URL.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def command(ctx: click.Context, /, self_test: bool, out: Path | None, as_json: bool, **given: object) -> None:
    """Measure the endpoint at URL (with or without /v1) with streamed requests of random, never repeated prompts.

    Time to first token, time between tokens, per output token and end to end, tokens and requests per second; tokens
    as the server counts them, else estimated and marked. A failed request is counted by its kind and enters no other
    figure. Ctrl-C keeps what was measured. `breakeven calibrate` corrects the predicted capacity with the results.
    """
    _needs_client()
    if self_test:
        _self_test(as_json)
        return
    if not given["url"] or not given["model"]:
        raise click.UsageError(
            "wanted an URL and --model NAME, e.g. breakeven bench http://localhost:8000 --model NAME"
        )
    from breakeven.bench.document import to_json
    from breakeven.bench.measurement import measure
    from breakeven.cli.console import progress, safe, stdout_console, write_text
    from breakeven.clock import now

    with progress(as_json) as say:
        document = measure(_order(given, say), now(), say)
    if out:
        write_text(out, to_json(document))
    if as_json:
        click.echo(to_json(document), nl=False)
    else:
        from breakeven.reports.bench_terminal import render_bench

        render_bench(document, stdout_console())
        click.echo(f"Wrote {safe(str(out))}" if out else "Nothing was kept: --out results.json writes a file.")
    if document.interrupted:
        ctx.exit(INTERRUPTED)


def _needs_client() -> None:
    from importlib.util import find_spec

    if find_spec("aiohttp") is None:
        from breakeven.errors import BenchError

        raise BenchError("the load generator's client is not installed: pip install 'breakeven[bench]'")


def _self_test(as_json: bool) -> None:
    from breakeven.bench.self_test import self_test
    from breakeven.cli.console import progress, stdout_console

    with progress(as_json) as say:
        found = self_test(say)
    if as_json:
        import json
        from dataclasses import asdict

        spreads = {name: getattr(found, name).model_dump() for name in ("first_token_ms", "event_lag_ms")}
        click.echo(json.dumps(asdict(found) | spreads, indent=2))
        return
    from breakeven.reports.bench_terminal import render_self_test

    render_self_test(found, stdout_console())


def _order(given: dict[str, object], say: Callable[[str], None]) -> Order:
    from secrets import token_hex

    from breakeven.bench.endpoint import endpoint_at
    from breakeven.bench.load import Lengths, Limits
    from breakeven.bench.measurement import Order

    endpoint = endpoint_at(str(given["url"]), str(given["model"]), "completions" if given["completions"] else "chat")
    numbers: dict[str, float] = {name: value for name, value in given.items() if isinstance(value, int | float)}
    lengths = Lengths(
        int(numbers["input_tokens"]),
        int(numbers["output_tokens"]),
        numbers["length_spread"],
        int(numbers["shared_prefix_tokens"]),
    )
    limits = Limits(
        numbers["connect_timeout"], numbers["first_token_timeout"], numbers["idle_timeout"], numbers["timeout"]
    )
    levels, notes = _levels(given, numbers, say)
    return Order(
        endpoint,
        levels,
        lengths,
        limits,
        ignore_eos=not given["no_ignore_eos"],
        warm_up_count=int(numbers["warm_up"]),
        headers=_authorisation(given["api_key_env"]),
        seed=int(numbers["seed"]),
        nonce=token_hex(16),
        raw=bool(given["raw"]),
        notes=notes,
    )


def _levels(
    given: dict[str, object], numbers: dict[str, float], say: Callable[[str], None]
) -> tuple[Callable[[PromptMaker], Sequence[Level]], tuple[str, ...]]:
    """The levels that the options ask for; impossible ones are refused before anything is sent."""
    from breakeven.bench.arrivals import poisson
    from breakeven.bench.load import ClosedLoop

    chosen = [name for name in ("concurrency", "rates", "trace") if given[name]]
    if len(chosen) > 1:
        raise click.UsageError("give one of --concurrency, --rate and --trace")
    requests, duration = given["requests"], given["duration"]
    requests_count = int(numbers["requests"]) if requests is not None else None
    duration_s = numbers["duration"] if duration is not None else None
    if given["trace"]:
        loop, note = _trace(given, numbers, requests_count, duration_s, say)
        return (lambda _: (loop,)), (note,)
    if given["rates"]:
        rates = _numbers(str(given["rates"]), "--rate")
        most = requests_count if requests_count is not None or duration_s is not None else 100
        seed = int(numbers["seed"])

        def open_loops(prompts: PromptMaker) -> Sequence[Level]:
            return [
                poisson(rate, prompts.lengths, seed, requests_max_count=most, duration_s=duration_s) for rate in rates
            ]

        for rate in rates:
            poisson(rate, lambda _: (1, 1), seed, requests_max_count=most, duration_s=duration_s)
        return open_loops, ()
    users = [_whole(each) for each in _numbers(str(given["concurrency"] or "1,4,16"), "--concurrency")]
    closed = [ClosedLoop(each, _requests(each, requests_count, duration_s), duration_s) for each in users]
    return (lambda _: closed), ()


def _requests(users_count: int, requests_count: int | None, duration_s: float | None) -> int | None:
    if requests_count is not None or duration_s is not None:
        return requests_count
    return max(LEAST_REQUESTS_COUNT, REQUESTS_PER_USER_COUNT * users_count)


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise click.UsageError(f"{option} {text}: wanted numbers with commas between, e.g. {option} 1,4,16") from None


def _whole(number: float) -> int:
    if not number.is_integer():
        raise click.UsageError(f"--concurrency {number:g}: wanted whole numbers")
    return int(number)


def _authorisation(variable: object) -> dict[str, str]:
    if not variable:
        return {}
    key = os.environ.get(str(variable), "").strip()
    if not key:
        from breakeven.errors import BenchError

        raise BenchError(f"the environment variable {variable} is not set; --api-key-env names the one with the key")
    return {"Authorization": f"Bearer {key}"}


def _trace(
    given: dict[str, object],
    numbers: dict[str, float],
    requests_count: int | None,
    duration_s: float | None,
    say: Callable[[str], None],
) -> tuple[OpenLoop, str]:
    """The arrivals of a log, and a note about them."""
    from breakeven.bench.arrivals import replay
    from breakeven.cli.usage_source import UsageSource, opened_calls

    path = Path(str(given["trace"]))
    log_format = str(given["trace_format"]) if given["trace_format"] else None
    with opened_calls(UsageSource((path,), None, None, log_format, ()), say) as opened:
        calls = opened.store.calls()
        table = calls.select("start_time", "input_tokens", "output_tokens").order_by("start_time").to_pyarrow()
    starts = table["start_time"].cast("timestamp[us]").cast("int64").to_pylist()
    loop = replay(
        f"trace {path.name}",
        [each / 1e6 for each in starts],
        table["input_tokens"].to_pylist(),
        table["output_tokens"].to_pylist(),
        speedup_ratio=numbers["speedup"],
        requests_max_count=requests_count,
        duration_s=duration_s,
    )
    note = (
        f"{len(loop.arrivals):,} of {table.num_rows:,} calls of the trace, played {numbers['speedup']:g} times as fast"
    )
    return loop, note
