"""wrk: one run of the load generator, pinned to one core, and what the proxy's process used meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent."""

    name: str
    connections_count: int
    body: str
    path: str = "/v1/chat/completions"
    more_bodies: tuple[str, ...] = ()
    """Sent in turn with `body`, where not all requests shall be the same."""
    delay_mean_ms: float = 0.0
    """Between an answer and the next request of a connection; uniform from 0 to twice as long."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    req_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Processor time of the proxy per request."""
    rss_mb: float
    errors_count: int


def run_wrk(url: str, load: Load, headers: dict[str, str], seconds: float, pids: list[int], core: int = 1) -> Measured:
    """Load on a proxy whose processes are `pids`."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_script(load, headers))
        command = [
            "taskset",
            "-c",
            str(core),
            "wrk",
            "-t1",
            f"-c{load.connections_count}",
            f"-d{seconds:g}s",
            "--latency",
        ]
        before_s = sum(cpu_s(pid) for pid in pids)
        done = subprocess.run(
            [*command, "-s", str(script), url + load.path],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
        used_s = sum(cpu_s(pid) for pid in pids) - before_s
    out = done.stdout
    requests = int(_found(r"(\d+) requests in", out))
    failed = [int(each) for each in re.findall(r"(?:connect|read|write|timeout) (\d+)", out)]
    non_2xx = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return Measured(
        req_per_s=float(_found(r"Requests/sec:\s+([\d.]+)", out)),
        p50_ms=_ms(_found(r"\n\s+50%\s+(\S+)", out)),
        p99_ms=_ms(_found(r"\n\s+99%\s+(\S+)", out)),
        cpu_us=1e6 * used_s / max(requests, 1),
        rss_mb=max((rss_mb(pid) for pid in pids), default=0.0),
        errors_count=sum(failed) + (int(non_2xx.group(1)) if non_2xx else 0),
    )


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_mb(pid: int) -> float:
    """Memory of a process that is in RAM, MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def _script(load: Load, headers: dict[str, str]) -> str:
    lines = [
        'wrk.method = "POST"',
        f"wrk.body = [==[{load.body}]==]",
        'wrk.headers["Content-Type"] = "application/json"',
    ]
    lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    if load.more_bodies:
        bodies = ", ".join(f"[==[{each}]==]" for each in (load.body, *load.more_bodies))
        lines += [
            f"local bodies, requests, at = {{{bodies}}}, {{}}, 0",
            "function init(args) for i, each in ipairs(bodies) do"
            " requests[i] = wrk.format(nil, nil, nil, each) end end",
            "function request() at = at % #requests + 1 return requests[at] end",
        ]
    if load.delay_mean_ms:
        lines.append(f"function delay() return math.random(0, {round(2 * load.delay_mean_ms)}) end")
    return "\n".join(lines) + "\n"


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match.group(1)


def _ms(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    assert match is not None, text
    return float(match.group(1)) * _UNITS_MS[match.group(2)]
