"""Error table: every answer of the gateway's own, by its code: its status, what it means, what to do about it.

``python -m breakeven.gateway.error_table`` writes docs/reference/gateway-errors.md. A test finds the codes in the
source and compares, so that no code is missing here and none is left over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "gateway-errors.md"
Place = Literal["request", "key", "routing", "limits", "upstream", "gateway", "outcomes", "admin"]
PLACES: Final[dict[Place, str]] = {
    "request": "The request",
    "key": "The key",
    "routing": "Where it may go",
    "limits": "Budgets and rates",
    "upstream": "The upstream",
    "gateway": "The gateway",
    "outcomes": "Outcomes",
    "admin": "The admin API",
}


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One code."""

    code: str
    http_status: int
    place: Place
    meaning: str
    remedy: str


ERRORS: Final[tuple[ErrorKind, ...]] = (
    ErrorKind("bad_request", 400, "request", "The bytes are not HTTP/1.1 as RFC 9112 has it; the connection is closed.",
              "Framing that could be read in two ways is never forwarded; mend the client or the proxy before us."),
    ErrorKind("invalid_json", 400, "request", "The body is empty, no JSON in UTF-8, or nested too deeply.",
              "The message says at which byte."),
    ErrorKind("invalid_body", 400, "request", "The body is JSON, but no object.", "Send an object with a `model`."),
    ErrorKind("missing_model", 400, "request", "The body names no model.", "Name one of `GET /v1/models`, or `auto`."),
    ErrorKind("invalid_model", 400, "request", "`model` is no text, or has characters that no model's name has.",
              "The message says what was seen."),
    ErrorKind("ambiguous_name", 400, "request", "A name at the top of the body (`Model`, `MAX_TOKENS`) is one of ours "
              "in other letters, and some servers read it.", "Write it in small letters."),
    ErrorKind("unknown_path", 404, "request", "No such path.", "The message lists the paths."),
    ErrorKind("method_not_allowed", 405, "request", "The path takes another method.", "The message names it."),
    ErrorKind("request_timeout", 408, "request", "Head or body came too slowly (`timeouts`).", "Send it again."),
    ErrorKind("body_too_large", 413, "request", "The body is larger than `wire.body_max_bytes`.",
              "Send less, or raise the limit."),
    ErrorKind("headers_too_large", 431, "request", "The head is larger than `wire.head_max_bytes`, or has too many "
              "headers.", "Send fewer."),
    ErrorKind("transfer_encoding", 501, "request", "A transfer encoding other than `chunked`.", "Send it plain."),
    ErrorKind("http_version", 505, "request", "Another version than HTTP/1.1 or 1.0.", "Speak HTTP/1.1."),
    ErrorKind("invalid_api_key", 401, "key", "No key, an unknown one, or two different ones.",
              "Send one, as `Authorization: Bearer` or `x-api-key`."),
    ErrorKind("key_disabled", 401, "key", "The key was shut by an administrator.", "Ask for another one."),
    ErrorKind("key_expired", 401, "key", "The key's time is over.", "Ask for another one."),
    ErrorKind("model_not_allowed", 403, "routing", "The key may not use this model.", "Use one of `GET /v1/models`."),
    ErrorKind("override_not_allowed", 403, "routing", "`x-breakeven-model` needs a key that may choose.",
              "Leave the header out, or give the key `may_override`."),
    ErrorKind("residency", 403, "routing", "A residency rule names the upstreams of this request, and none of them "
              "has a model that may take it. It went nowhere.", "Serve a model there; nothing is ever sent elsewhere."),
    ErrorKind("unpriced_model", 403, "routing", "The key has a budget and the model has no price.",
              "Give the model a price: unknown is not zero."),
    ErrorKind("model_not_found", 404, "routing", "No model of this name is served.", "`GET /v1/models` lists them."),
    ErrorKind("unsupported_operation", 400, "routing", "No upstream of this model speaks this API.",
              "Use another path or model."),
    ErrorKind("not_translatable", 400, "routing", "The request cannot be said in the upstream's dialect without loss.",
              "The message names the part; see explanation/translation.md."),
    ErrorKind("budget_exceeded", 402, "limits", "What the request may cost is more than is left of the key's budget.",
              "Ask for fewer output tokens or a cheaper model, or wait for the next period (`Retry-After`)."),
    ErrorKind("rate_limited", 429, "limits", "Too many requests or tokens in a minute.", "Wait as `Retry-After` says."),
    ErrorKind("tokens_over_limit", 400, "limits", "The request alone is more than the key's tokens per minute.",
              "Ask for fewer output tokens."),
    ErrorKind("limits_unavailable", 503, "limits", "The key's limits could not be read; nothing was sent.",
              "Try again; see the log."),
    ErrorKind("redis_unavailable", 503, "limits", "Redis does not answer, and the key has a budget.",
              "Try again; keys without limits are served meanwhile."),
    ErrorKind("upstream_error", 502, "upstream", "No upstream gave an answer; after a started stream, it broke off.",
              "Try again. The last upstream's own 4xx or 429 is passed on instead, without its secrets."),
    ErrorKind("upstream_timeout", 504, "upstream", "The last upstream that was tried took too long.",
              "Try again, or raise `timeouts`."),
    ErrorKind("no_upstream", 503, "upstream", "The breakers of all servers that may answer are open.",
              "Try again after `Retry-After`; `GET /admin/upstreams` shows them."),
    ErrorKind("overloaded", 503, "gateway", "As many requests are under way as `wire` allows.", "Try again; add "
              "processes or replicas."),
    ErrorKind("too_many_connections", 503, "gateway", "As many connections are open as `wire` allows.",
              "Keep connections and use them again; add processes or replicas."),
    ErrorKind("internal_error", 500, "gateway", "A mistake of ours; the message says whether anything was sent.",
              "Report it; the log has its kind, `events_total` counts it."),
    ErrorKind("outcomes_not_allowed", 403, "outcomes", "The key may not give outcomes.",
              "Use the key of whoever judges."),
    ErrorKind("invalid_outcome", 400, "outcomes", "The body is no outcome.", "The message names the field."),
    ErrorKind("outcome_conflict", 409, "outcomes", "The same source said something else of this request before.",
              'Send `"replace": true` to change it.'),
    ErrorKind("outcomes_unavailable", 503, "outcomes", "The outcome is not on the disk.", "Give it again: saying it "
              "twice changes nothing."),
    ErrorKind("admin_disabled", 403, "admin", "No token of the admin API is configured.", "Set `admin_token_env`."),
    ErrorKind("invalid_admin_token", 401, "admin", "The token is missing or wrong.", "`Authorization: Bearer TOKEN`."),
    ErrorKind("invalid_request", 400, "admin", "The body makes no sense.", "The message names the field."),
    ErrorKind("not_found", 404, "admin", "No such page.", "See how-to/run-the-gateway.md."),
    ErrorKind("key_exists", 409, "admin", "There is a key of this id.", "Choose another id."),
    ErrorKind("key_in_configuration", 409, "admin", "A key of the configuration cannot be deleted here.",
              "Disable it, or edit the file."),
    ErrorKind("too_many_keys", 409, "admin", "100,000 keys were made.", "Delete some."),
    ErrorKind("unknown_key", 404, "admin", "No key of this id.", "`GET /admin/keys` lists them."),
    ErrorKind("no_policy", 503, "admin", "No version of the policy can be read.", "Write the policy folder again."),
    ErrorKind("unknown_policy", 404, "admin", "No such version of the policy is kept.",
              "`GET /admin/policy` lists them."),
    ErrorKind("no_step_back", 409, "admin", "There is no version to go back to.", "The message says why."),
    ErrorKind("state_unavailable", 503, "admin", "The state folder could not be used.", "Free its disk."),
    ErrorKind("state_unusable", 409, "admin", "A file in the state folder is damaged; it is not written over.",
              "The message names it; put a copy back."),
)  # fmt: skip


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# Errors of the gateway",
        "",
        "Printed from `gateway/error_table.py` by `python -m breakeven.gateway.error_table`.",
        "",
        "Answers of the gateway's own are JSON in the client's dialect: OpenAI's",
        '`{"error": {"message", "type", "param", "code"}}`, or Anthropic\'s `{"type": "error", "error": {"type",',
        '"message"}}`. The code stands in `error.code`, and `x-breakeven-request-id` names the request in the log.',
        "No message holds a secret, a prompt, or an upstream's address.",
        "",
        "An upstream's own 4xx is passed on with its status and its message, without keys, addresses and hosts in it.",
        "After the first byte of a stream an error is an event of the stream, and the connection closes without the",
        "stream's end mark: a truncated answer never looks like a whole one.",
    ]
    for place, title in PLACES.items():
        lines += ["", f"## {title}", "", "| code | status | means | do |", "|---|---|---|---|"]
        lines += [
            f"| `{each.code}` | {each.http_status} | {each.meaning} | {each.remedy} |"
            for each in ERRORS
            if each.place == place
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
