"""Reference of `gateway.yaml`: every key with its meaning and default, printed from the schema by `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from breakeven.gateway.config import schema, settings

PAGE: Final = Path(__file__).parents[4] / "docs" / "reference" / "gateway-config.md"

EXAMPLE: Final = """\
listen: 0.0.0.0:4000
admin: 127.0.0.1:4001
admin_token_env: BREAKEVEN_ADMIN_TOKEN
upstreams:
  openai: {vendor: openai, api_key_env: OPENAI_API_KEY}
  own: {base_url: "http://10.0.0.5:8000/v1"}
models:
  small:
    upstream: own
    model: qwen3-8b
    price: {comparison: report.json, option: rented_on_demand}   # of `breakeven compare --out report.json`
  strong:
    upstream: openai
    model: gpt-5.2
    price: {input_usd_per_mtok: 1.75, cache_read_usd_per_mtok: 0.175, output_usd_per_mtok: 14, as_of: 2026-11-01}
default_model: strong
policy: policy            # of `breakeven learn --out policy`
fallbacks: {small: [strong]}
keys:
  - {id: search-team, env: SEARCH_TEAM_KEY, budget_usd: 500, requests_per_minute: 600}
residency:
  - {when: {task: contracts}, upstreams: [own]}
"""
"""Shown on the page and in the help of `serve`; a test reads it."""

_PARTS: Final = (
    ("The file", schema.GatewayFile, None),
    ("upstreams: NAME", schema.UpstreamEntry, None),
    ("models: NAME", schema.TargetEntry, None),
    ("price", schema.PriceEntry, None),
    ("keys", schema.KeyEntry, None),
    ("residency", schema.ResidencyEntry, None),
    ("tasks", schema.TaskEntry, None),
    ("when", schema.ConditionEntry, None),
    ("arms", schema.ArmsEntry, None),
    ("shadows", schema.ShadowEntry, None),
    ("timeouts", schema.TimeoutsEntry, settings.Timeouts()),
    ("retries", schema.RetriesEntry, settings.Retries()),
    ("breaker", schema.BreakerEntry, settings.Breaker()),
    ("wire", schema.WireEntry, settings.WireLimits()),
    ("tls", schema.TlsEntry, None),
)


def page() -> str:
    """The page as Markdown."""
    parts = [
        "# gateway.yaml",
        "",
        "Printed by `make docs` from the schema. Unknown keys are refused, with the line and the nearest known key;",
        "`breakeven serve --check --config gateway.yaml` says what would be served. Paths are relative to the file.",
        "Keys and tokens come from the environment or from files, never from here.",
        "",
        "```yaml",
        *EXAMPLE.rstrip().splitlines(),
        "```",
        "",
    ]
    for title, part, defaults in _PARTS:
        parts += [f"## {title}", "", "| key | default | meaning |", "|---|---|---|", *_rows(part, defaults), ""]
    return "\n".join(parts)


def _rows(part: type[BaseModel], defaults: Any) -> Iterator[str]:
    known = {each.name: getattr(defaults, each.name) for each in fields(defaults)} if is_dataclass(defaults) else {}
    for name, field in part.model_fields.items():
        default = known.get(name, field.get_default(call_default_factory=True))
        shown = "required" if field.is_required() else _shown(default)
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{name}` | {shown} | {meaning} |"


def _shown(value: Any) -> str:
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
