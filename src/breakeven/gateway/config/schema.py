"""Schema of `gateway.yaml`: every key that it may have. The pydantic edge: `reading.py` turns it into settings."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}")
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")

Fraction = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


def _listed(value: Any) -> Any:
    """One thing where a list is wanted is a list of one."""
    return value if isinstance(value, list) else [value]


def _name(value: Any) -> Any:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a name has letters, digits and . _ / : @ + - and begins with a letter or digit")
    return value


def _digest(value: Any) -> Any:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError("wanted the 64 hex digits of a SHA-256, in quotes")
    return value


Name = Annotated[str, BeforeValidator(_name)]
Digest = Annotated[str, BeforeValidator(_digest)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    """A part of the file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PriceEntry(Part):
    """What tokens cost: a list price, a share of a server's bill, or the figure of a saved comparison."""

    input_usd_per_mtok: Money | None = None
    """USD per million input tokens."""
    output_usd_per_mtok: Money | None = None
    """USD per million output tokens."""
    cache_read_usd_per_mtok: Money | None = None
    """USD per million tokens read from a cache; the input price when absent."""
    cache_write_usd_per_mtok: Money | None = None
    """USD per million tokens written to a cache; the input price when absent."""
    usd_per_request: Money | None = None
    """USD per request, whatever its tokens."""
    usd_per_month: Money | None = None
    """Of a server of one's own, all costs included, busy or not."""
    tokens_per_month: Annotated[float, Field(gt=0, le=1e18)] | None = None
    """Input and output together, as planned."""
    comparison: str | None = None
    """A file that `breakeven compare --out` wrote ..."""
    option: str | None = None
    """... and the option in it whose monthly cost is shared among the tokens."""
    as_of: date | None = None
    """The day of the price."""

    @model_validator(mode="after")
    def _one_way(self) -> PriceEntry:
        ways = {
            "input_usd_per_mtok and output_usd_per_mtok": self.input_usd_per_mtok is not None
            or self.output_usd_per_mtok is not None,
            "usd_per_request": self.usd_per_request is not None,
            "usd_per_month and tokens_per_month": self.usd_per_month is not None or self.tokens_per_month is not None,
            "comparison and option": self.comparison is not None or self.option is not None,
        }
        said = [way for way, is_said in ways.items() if is_said]
        if len(said) != 1:
            raise ValueError(f"saw {' beside '.join(said) or 'no amount'}; wanted one of: {'; '.join(ways)}")
        pairs = (
            (self.input_usd_per_mtok, self.output_usd_per_mtok),
            (self.usd_per_month, self.tokens_per_month),
            (self.comparison, self.option),
        )
        if any((one is None) != (other is None) for one, other in pairs):
            raise ValueError(f"wanted both of {said[0]}")
        return self


class UpstreamEntry(Part):
    """A server that answers."""

    base_url: str | None = None
    """`http://HOST[:PORT]/PATH` or `https://...`, up to what stands before `/chat/completions`."""
    vendor: str | None = None
    """Whose habits it has ([table](upstreams.md)); recognised by the host name when absent."""
    dialect: Literal["openai", "anthropic"] | None = None
    """What it speaks; the vendor's when absent."""
    api_key_env: str | None = None
    """Name of the environment variable that holds its key; a key itself never stands in the file."""
    api_key_file: str | None = None
    """Or a file that holds its key."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers for every request."""
    ca_file: str | None = None
    """Certificates (PEM) to trust in place of the system's."""
    connections_max_count: Annotated[int, Field(ge=1, le=65_535)] = 512
    """At most so many connections per process."""


class TargetEntry(Part):
    """Where a model can be had."""

    upstream: Name
    """Name of an upstream."""
    model: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """As the upstream calls it; the name itself when absent."""
    price: PriceEntry | None = None
    """What its tokens cost; the policy's dated price when absent, else unpriced."""


class KeyEntry(Part):
    """A client."""

    id: Name
    """Name of the client."""
    sha256: Digest | None = None
    """Of the key: `printf %s "$KEY" | sha256sum`."""
    env: str | None = None
    """Or the environment variable that holds the key."""
    application: str | None = None
    """Recorded with every call, and a group of policies."""
    models: Names = ()
    """The only models that it may get; all when absent."""
    may_override: bool = False
    """May choose its model by the header `x-breakeven-model`."""
    may_give_outcomes: bool = True
    """May post to `/v1/outcomes`."""
    budget_usd: Money | None = None
    """At most so much in a period."""
    budget_days: Annotated[float, Field(gt=0, le=3_660)] = 30.0
    """How long a period is."""
    requests_per_minute: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """At most so many requests."""
    tokens_per_minute: Annotated[float, Field(gt=0, le=1e12)] | None = None
    """At most so many tokens, input and output."""
    expires: date | None = None
    """The last day on which it is taken (UTC)."""
    is_disabled: bool = False
    """It is refused."""


class ConditionEntry(Part):
    """What a request must have; all that is said must hold."""

    task: str | None = None
    """The request's task."""
    key: Name | None = None
    """Id of the key."""
    header: dict[str, str] | None = None
    """A header and its value; `"*"` is any."""
    path: str | None = None
    """The path, such as `/v1/embeddings`."""
    system_hash: str | None = None
    """Hash of the system prompt, as the calls have it."""
    schema_hash: str | None = None
    """Hash of the answer's schema and the tools on offer."""
    pattern: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    """A regular expression (without back references) looked for in all text that would go out."""

    @model_validator(mode="after")
    def _says_something(self) -> ConditionEntry:
        if not self.model_fields_set:
            raise ValueError("wanted at least one of task, key, header, path, system_hash, schema_hash, pattern")
        if self.header is not None and len(self.header) != 1:
            raise ValueError('wanted one header, as in `header: {x-data-class: restricted}` ("*": any value)')
        return self


class ResidencyEntry(Part):
    """Requests that may go to some upstreams only."""

    when: ConditionEntry
    """Which requests."""
    upstreams: Names
    """Where they may go."""
    name: str = ""
    """Said in refusals."""


class TaskEntry(Part):
    """How a task is told."""

    when: ConditionEntry
    """Which requests."""
    task: Annotated[str, Field(min_length=1, max_length=128)]
    """Their task."""


class ArmsEntry(Part):
    """Arms of a pilot."""

    experiment: Name
    """Its name; another name deals the units anew."""
    unit: Annotated[str, Field(pattern=r"^(request|key|session|user|header:[A-Za-z0-9-]+)$")] = "request"
    """What is dealt to arms: `request`, `key`, `session`, `user` (of the body) or `header:NAME`."""
    shares: dict[Name, Annotated[float, Field(ge=0, le=1)]]
    """Arm and its share; they sum to 1."""
    models: dict[Name, Name] = Field(default_factory=dict)
    """Arm and the model of its requests; an arm without one follows the policy."""
    tasks: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Only these tasks; all when absent."""

    @model_validator(mode="after")
    def _whole(self) -> ArmsEntry:
        total = sum(self.shares.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the shares sum to {total:g}; wanted 1")
        unknown = sorted(set(self.models) - set(self.shares))
        if unknown:
            raise ValueError(f"models names the arm '{unknown[0]}', which has no share")
        return self


class ShadowEntry(Part):
    """A model that gets copies."""

    model: Name
    """Gets copies."""
    share_fraction: Fraction
    """Of the requests."""
    in_flight_max_count: Annotated[int, Field(ge=1, le=1_024)] = 8
    """More copies than so many at once are left out."""
    tasks: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Only these tasks; all when absent."""


class TimeoutsEntry(Part):
    """How long is waited; what is absent keeps its default."""

    connect_s: Seconds | None = None
    """To connect to an upstream."""
    first_byte_s: Seconds | None = None
    """To the first byte of an answer."""
    idle_s: Seconds | None = None
    """Between two pieces of an answer."""
    total_s: Seconds | None = None
    """For a whole answer."""
    client_head_s: Seconds | None = None
    """For the head of a request."""
    client_body_s: Seconds | None = None
    """For its body."""
    client_idle_s: Seconds | None = None
    """Between two requests on a connection."""
    drain_s: Seconds | None = None
    """For answers under way after SIGTERM."""


class RetriesEntry(Part):
    """When another attempt is made."""

    attempts_max_count: Annotated[int, Field(ge=1, le=20)] | None = None
    """Attempts of one request, over all upstreams."""
    budget_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    """Retries as a part of all requests (ten at least)."""
    backoff_base_s: Seconds | None = None
    """The first wait, doubled each time and drawn at random below that."""
    backoff_max_s: Seconds | None = None
    """The longest wait."""
    hedge_after_s: Seconds | None = None
    """Ask the next target too when no byte came for so long; never when absent."""


class BreakerEntry(Part):
    """When an upstream is left alone."""

    failures_count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Failures in a row that open it."""
    failing_fraction: Fraction | None = None
    """Or so large a part of the last `window_count` attempts."""
    window_count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many attempts are looked at."""
    open_s: Seconds | None = None
    """How long an upstream is left alone before one probe; each failed probe doubles it, to 16 times."""


class WireEntry(Part):
    """How large things may be."""

    head_max_bytes: Annotated[int, Field(ge=1_024, le=2**20)] | None = None
    """The head of a request."""
    headers_max_count: Annotated[int, Field(ge=8, le=10_000)] | None = None
    """Its headers."""
    body_max_bytes: Annotated[int, Field(ge=1_024, le=2**30)] | None = None
    """Its body."""
    answer_buffer_max_bytes: Annotated[int, Field(ge=1_024, le=2**28)] | None = None
    """A plain answer up to this size is held until it is whole, so that another model's can take its place; a larger
    one is passed on as it comes."""
    connections_max_count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Clients' connections per process."""
    requests_in_flight_max_count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests at once per process; more get 503."""


class TlsEntry(Part):
    """The gateway's own certificate."""

    certificate: str
    """PEM file, with its chain."""
    key: str
    """PEM file."""


class GatewayFile(Part):
    """The whole file."""

    listen: str = "127.0.0.1:4000"
    """Where clients connect."""
    admin: str = "127.0.0.1:4001"
    """Where the admin API, `/metrics`, `/healthz` and `/readyz` are."""
    admin_token_env: str | None = None
    """Environment variable with the token of the admin API; without a token it answers health and metrics only."""
    admin_token_sha256: Digest | None = None
    """Or the SHA-256 of the token."""
    processes: Annotated[int, Field(ge=1, le=256)] = 1
    """Relay processes on one port."""
    state: str = "gateway-state"
    """Folder for calls, outcomes, limits and keys."""
    upstreams: dict[Name, UpstreamEntry]
    """Name and server."""
    models: dict[Name, Annotated[tuple[TargetEntry, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)
    """Name and where it can be had: one target, or a list in the order of trial."""
    default_model: Name | None = None
    """Takes what no policy decides and no client names."""
    passthrough: Name | None = None
    """The upstream of models that are not listed; they are refused when absent."""
    policy: str | None = None
    """Folder that `breakeven learn --out` wrote."""
    fallbacks: dict[Name, Names] = Field(default_factory=dict)
    """Model and the models that take its place when all its targets fail."""
    keys: tuple[KeyEntry, ...] = ()
    """Clients."""
    open: bool = False
    """No key is asked, and the client's own is passed on."""
    residency: tuple[ResidencyEntry, ...] = ()
    """Requests that may go to some upstreams and no other; a request that none of them can take is refused."""
    tasks: tuple[TaskEntry, ...] = ()
    """How a task is told where no header `x-breakeven-task` names it; the first rule that fits."""
    tasks_file: str | None = None
    """A classifier of tasks, as `breakeven learn --tasks` writes it."""
    arms: ArmsEntry | None = None
    """Arms of an experiment of your own; a pilot's stand in the policy file and take its tasks first."""
    shadows: tuple[ShadowEntry, ...] = ()
    """Models that get copies, of tasks that no trial of the policy file is about."""
    timeouts: TimeoutsEntry = TimeoutsEntry()
    """How long is waited."""
    retries: RetriesEntry = RetriesEntry()
    """When another attempt is made."""
    breaker: BreakerEntry = BreakerEntry()
    """When an upstream is left alone."""
    wire: WireEntry = WireEntry()
    """How large things may be."""
    cascade_streams: Literal["unchecked", "buffered"] = "unchecked"
    """Of a cascade: `buffered`: the answer to a request for a stream is checked whole, and sent as a stream then (chat
    completions and messages); `unchecked`: the last model answers, at once."""
    durability: Literal["batch", "request"] = "batch"
    """`request`: an answer ends only when its call is on the disk; `batch`: within a second."""
    prompts: Literal["none", "redacted", "full"] = "none"
    """Whether prompts and answers are kept."""
    redis_url_env: str | None = None
    """Environment variable with the URL of a Redis that several machines share their limits through."""
    redis_url: str | None = None
    """Or the URL itself, where it holds no password."""
    tls: TlsEntry | None = None
    """The gateway's own certificate."""
    admin_tls: TlsEntry | None = None
    """The same for the admin port; without it that port speaks plain HTTP."""
    trace_endpoint: str | None = None
    """OTLP over HTTP, such as `http://collector:4318`."""
