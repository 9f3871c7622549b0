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

    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceEntry(Part):
    """What tokens cost: a list price, a share of a server's bill, or the figure of a saved comparison."""

    input_usd_per_mtok: Money | None = None
    output_usd_per_mtok: Money | None = None
    cache_read_usd_per_mtok: Money | None = None
    cache_write_usd_per_mtok: Money | None = None
    usd_per_request: Money | None = None
    usd_per_month: Money | None = None
    """Of a server of one's own, all costs included, busy or not."""
    tokens_per_month: Annotated[float, Field(gt=0, le=1e18)] | None = None
    """Input and output together, as planned."""
    comparison: str | None = None
    """A file that `breakeven compare --out` wrote ..."""
    option: str | None = None
    """... and the option in it whose monthly cost is shared among the tokens."""
    as_of: date | None = None

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
    vendor: str | None = None
    dialect: Literal["openai", "anthropic"] | None = None
    api_key_env: str | None = None
    """Name of the environment variable that holds its key; a key itself never stands in the file."""
    api_key_file: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    ca_file: str | None = None
    connections_max_count: Annotated[int, Field(ge=1, le=65_535)] = 512


class TargetEntry(Part):
    """Where a model can be had."""

    upstream: Name
    model: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """As the upstream calls it; the name itself when absent."""
    price: PriceEntry | None = None


class KeyEntry(Part):
    """A client."""

    id: Name
    sha256: Digest | None = None
    """Of the key: `printf %s "$KEY" | sha256sum`."""
    env: str | None = None
    """Or the environment variable that holds the key."""
    application: str | None = None
    models: Names = ()
    may_override: bool = False
    may_give_outcomes: bool = True
    budget_usd: Money | None = None
    budget_days: Annotated[float, Field(gt=0, le=3_660)] = 30.0
    requests_per_minute: Annotated[float, Field(gt=0, le=1e9)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0, le=1e12)] | None = None
    expires: date | None = None
    is_disabled: bool = False


class ConditionEntry(Part):
    """What a request must have; all that is said must hold."""

    task: str | None = None
    key: Name | None = None
    header: dict[str, str] | None = None
    path: str | None = None
    system_hash: str | None = None
    schema_hash: str | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None

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
    upstreams: Names
    name: str = ""


class TaskEntry(Part):
    """How a task is told."""

    when: ConditionEntry
    task: Annotated[str, Field(min_length=1, max_length=128)]


class ArmsEntry(Part):
    """Arms of a pilot."""

    experiment: Name
    unit: Annotated[str, Field(pattern=r"^(request|key|session|user|header:[A-Za-z0-9-]+)$")] = "request"
    shares: dict[Name, Annotated[float, Field(ge=0, le=1)]]
    models: dict[Name, Name] = Field(default_factory=dict)
    tasks: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()

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
    share_fraction: Fraction
    in_flight_max_count: Annotated[int, Field(ge=1, le=1_024)] = 8
    tasks: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()


class TimeoutsEntry(Part):
    """How long is waited; what is absent keeps its default."""

    connect_s: Seconds | None = None
    first_byte_s: Seconds | None = None
    idle_s: Seconds | None = None
    total_s: Seconds | None = None
    client_head_s: Seconds | None = None
    client_body_s: Seconds | None = None
    client_idle_s: Seconds | None = None
    drain_s: Seconds | None = None


class RetriesEntry(Part):
    """When another attempt is made."""

    attempts_max_count: Annotated[int, Field(ge=1, le=20)] | None = None
    budget_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    backoff_base_s: Seconds | None = None
    backoff_max_s: Seconds | None = None
    hedge_after_s: Seconds | None = None


class BreakerEntry(Part):
    """When an upstream is left alone."""

    failures_count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    failing_fraction: Fraction | None = None
    window_count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    open_s: Seconds | None = None


class WireEntry(Part):
    """How large things may be."""

    head_max_bytes: Annotated[int, Field(ge=1_024, le=2**20)] | None = None
    headers_max_count: Annotated[int, Field(ge=8, le=10_000)] | None = None
    body_max_bytes: Annotated[int, Field(ge=1_024, le=2**30)] | None = None
    answer_buffer_max_bytes: Annotated[int, Field(ge=1_024, le=2**28)] | None = None
    connections_max_count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    requests_in_flight_max_count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class TlsEntry(Part):
    """The gateway's own certificate."""

    certificate: str
    key: str


class GatewayFile(Part):
    """The whole file."""

    listen: str = "127.0.0.1:4000"
    admin: str = "127.0.0.1:4001"
    admin_token_env: str | None = None
    admin_token_sha256: Digest | None = None
    processes: Annotated[int, Field(ge=1, le=256)] = 1
    state: str = "gateway-state"
    upstreams: dict[Name, UpstreamEntry]
    models: dict[Name, Annotated[tuple[TargetEntry, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)
    default_model: Name | None = None
    passthrough: Name | None = None
    policy: str | None = None
    fallbacks: dict[Name, Names] = Field(default_factory=dict)
    keys: tuple[KeyEntry, ...] = ()
    open: bool = False
    """No key is asked, and the client's own is passed on."""
    residency: tuple[ResidencyEntry, ...] = ()
    tasks: tuple[TaskEntry, ...] = ()
    tasks_file: str | None = None
    arms: ArmsEntry | None = None
    shadows: tuple[ShadowEntry, ...] = ()
    timeouts: TimeoutsEntry = TimeoutsEntry()
    retries: RetriesEntry = RetriesEntry()
    breaker: BreakerEntry = BreakerEntry()
    wire: WireEntry = WireEntry()
    durability: Literal["batch", "request"] = "batch"
    prompts: Literal["none", "redacted", "full"] = "none"
    redis_url_env: str | None = None
    redis_url: str | None = None
    tls: TlsEntry | None = None
    trace_endpoint: str | None = None
