"""The tables of docs/reference/gateway-faults.md, printed from the table that the tests run.

python tests/gateway/faults/page.py    (writes them again)
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gateway.faults.table import TABLE, Outcome
from gateway.parts.fault_scripts import FAULTS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "gateway-faults.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
STATUSES = {
    "status:408": "It answers 408.",
    "status:429": "It answers 429 with Retry-After.",
    "status:500": "It answers 500.",
    "status:502": "It answers 502.",
    "status:503": "It answers 503.",
    "status:504": "It answers 504.",
    "status:529": "It answers 529 (Anthropic: overloaded).",
    "status:400": "It answers 400.",
    "status:401": "It answers 401: it refuses our credentials.",
    "status:404": "It answers 404.",
    "status:413": "It answers 413.",
    "status:422": "It answers 422.",
    "refuse": "Nobody listens at its port.",
}


def table() -> str:
    """One row for each fault."""
    lines = [
        "| what the upstream does | plain answer | stream | Call | another model takes over |",
        "|---|---|---|---|---|",
    ]
    for name, row in TABLE.items():
        what = STATUSES.get(name) or (FAULTS[name].__doc__ or "").strip()
        call = row.plain.call or "none"
        if row.stream.call != row.plain.call:
            call = f"{call}; stream: {row.stream.call or 'none'}"
        takes_over = "yes, before the first byte" if row.takes_over else "no"
        lines.append(f"| {what} (`{name}`) | {_seen(row.plain)} | {_seen(row.stream)} | {call} | {takes_over} |")
    return "\n".join(lines) + "\n"


def _seen(outcome: Outcome) -> str:
    if outcome.is_cut:
        return f"{outcome.status}, the text so far, an error event `{outcome.code}`, and the connection ends"
    if outcome.status == 200:
        return "200, whole"
    return f"{outcome.status} `{outcome.code}`" if outcome.code else f"{outcome.status}, its message without secrets"


def written(page: str) -> str:
    """The page with today's table in it."""
    head, rest = page.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
