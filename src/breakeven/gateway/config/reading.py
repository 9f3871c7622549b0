"""Reading a gateway's configuration: `gateway.yaml` to settings; what is wrong is named with its line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from breakeven import strict_yaml
from breakeven.errors import ConfigError, PolicyError, nearest
from breakeven.gateway.config.base_url import listening_at
from breakeven.gateway.config.prices import price_in_policy, price_of
from breakeven.gateway.config.schema import (
    ConditionEntry,
    GatewayFile,
    KeyEntry,
    Part,
    TargetEntry,
    TlsEntry,
    UpstreamEntry,
)
from breakeven.gateway.config.servers import upstream_of
from breakeven.gateway.config.settings import (
    Arms,
    Breaker,
    Condition,
    GatewaySettings,
    ResidencyRule,
    Retries,
    Shadow,
    TaskRule,
    Timeouts,
    WireLimits,
)
from breakeven.gateway.plan import Key
from breakeven.gateway.upstream import Target, TokenPrice, Upstream
from breakeven.routing.linear_regex import linear_regex
from breakeven.routing.policy_file import LoadedPolicy, load

_SECONDS_PER_DAY: Final = 86_400.0
KEYS_NAME: Final = "keys.json"


def read_settings(path: Path, environment: Mapping[str, str] = os.environ) -> GatewaySettings:
    """The settings that a file says; ConfigError with file and line for whatever cannot be served."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}. `breakeven serve --help` shows a configuration, and "
            "`breakeven serve --upstream URL` needs none."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; wanted a YAML file") from None
    return settings_of(text, str(path), path.parent, environment)


def settings_of(text: str, name: str, folder: Path, environment: Mapping[str, str] = os.environ) -> GatewaySettings:
    """The settings of a file's text; paths in it are relative to `folder`."""
    content = strict_yaml.read(text, name, ConfigError)
    place = _Places(text, name, content)
    if not isinstance(content, dict):
        raise ConfigError(f"{name}: saw no keys and values; wanted at least `upstreams:` (`breakeven serve --help`)")
    try:
        file = GatewayFile.model_validate(content)
    except ValidationError as error:
        raise _refused(error, place) from None
    return _Reader(file, place, folder, environment).settings()


def record_only(
    base_url: str, listen: str = "127.0.0.1:4000", admin: str = "127.0.0.1:4001", state: Path | None = None
) -> GatewaySettings:
    """Settings without a file: every request passes to one upstream with the client's own key, and is recorded."""
    try:
        upstream = upstream_of("upstream", UpstreamEntry(base_url=base_url), None, Path())
        (host, port), (admin_host, admin_port) = listening_at(listen), listening_at(admin)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    folder = (state or Path("gateway-state")).absolute()
    return GatewaySettings(
        host, port, admin_host, admin_port, 1, folder, {upstream.name: upstream}, {}, None, upstream.name,
        keys_file=folder / KEYS_NAME, is_open=True,
    )  # fmt: skip


class _Places:
    """Turns a path of keys into file and line."""

    def __init__(self, text: str, name: str, content: Any) -> None:
        self._text, self._name, self._content = text, name, content

    def __call__(self, *path: str | int) -> str:
        path = self._written(path)
        steps = ".".join(str(each) for each in path)
        line = f"{self._name}:{strict_yaml.line_of(self._text, path)}"
        return f"{line}: {steps}" if steps else line

    def _written(self, path: Sequence[str | int]) -> tuple[str | int, ...]:
        """The path as it stands in the file, where one thing may stand for a list of one."""
        found, content = [], self._content
        for step in path:
            if isinstance(step, int) and not isinstance(content, list):
                continue
            found.append(step)
            try:
                content = content[step]
            except (KeyError, IndexError, TypeError):
                content = None
        return tuple(found)

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """A ValueError inside is an error of this place."""
        try:
            yield
        except ValueError as error:
            raise ConfigError(f"{self(*path)}: {error}") from None


def _refused(error: ValidationError, place: _Places) -> ConfigError:
    lines = []
    for each in error.errors()[:5]:
        path = tuple(step for step in each["loc"] if not (isinstance(step, str) and step.startswith("function-")))
        message = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            message = "unknown key; " + _instead(path)
        elif not isinstance(each["input"], dict | list):
            message = f"saw {str(each['input'])[:60]!r}; {message[:1].lower()}{message[1:]}"
        lines.append(f"{place(*path)}: {message}")
    return ConfigError("\n".join(lines))


def _instead(path: Sequence[str | int]) -> str:
    """What to write in place of an unknown key."""
    if path[-1] in ("api_key", "key", "token", "secret") and path[0] == "upstreams":
        return "a key never stands in the file: name its environment variable (api_key_env) or its file (api_key_file)"
    return nearest(str(path[-1]), _known_keys(path[:-1]))


def _known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys of the part at a path."""
    model: Any = GatewayFile
    for step in path:
        if isinstance(model, type) and issubclass(model, Part) and step in model.model_fields:
            model = _part_in(model.model_fields[str(step)].annotation)  # a name or an index below it is no step
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, Part) else []


def _part_in(annotation: Any) -> Any:
    """The part that an annotation holds, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    found = (_part_in(each) for each in getattr(annotation, "__args__", ()))
    return next((each for each in found if each is not None), None)


class _Reader:
    """Makes settings of a checked file."""

    def __init__(self, file: GatewayFile, place: _Places, folder: Path, environment: Mapping[str, str]) -> None:
        self._file, self._place, self._folder, self._environment = file, place, folder, environment

    def settings(self) -> GatewaySettings:
        """All of it."""
        file, place = self._file, self._place
        with place.at("listen"):
            host, port = listening_at(file.listen)
        with place.at("admin"):
            admin_host, admin_port = listening_at(file.admin)
        upstreams = {name: self._upstream(name, entry) for name, entry in file.upstreams.items()}
        policy = self._policy()
        models = {name: self._targets(name, entries, upstreams, policy) for name, entries in file.models.items()}
        self._check_names(upstreams, models, policy)
        if file.redis_url_env is not None and file.redis_url is not None:
            raise ConfigError(f"{place('redis_url')}: saw redis_url beside redis_url_env; keep one")
        state = (self._folder / file.state).absolute()
        return GatewaySettings(
            listen_host=host,
            listen_port=port,
            admin_host=admin_host,
            admin_port=admin_port,
            processes_count=file.processes,
            state_folder=state,
            upstreams=upstreams,
            models=models,
            default_model=file.default_model,
            passthrough=file.passthrough,
            policy_folder=self._path(file.policy),
            fallbacks=dict(file.fallbacks),
            keys=self._keys(),
            keys_file=state / KEYS_NAME,
            is_open=file.open,
            residency=tuple(
                ResidencyRule(self._condition(each.when, "residency", i), each.upstreams, each.name or f"rule {i + 1}")
                for i, each in enumerate(file.residency)
            ),
            tasks=tuple(
                TaskRule(self._condition(each.when, "tasks", i), each.task) for i, each in enumerate(file.tasks)
            ),
            tasks_file=self._tasks_file(),
            arms=None if file.arms is None else Arms(**file.arms.model_dump()),
            shadows=tuple(Shadow(**each.model_dump()) for each in file.shadows),
            timeouts=replace(Timeouts(), **_said(file.timeouts)),
            retries=replace(Retries(), **_said(file.retries)),
            breaker=replace(Breaker(), **_said(file.breaker)),
            wire=replace(WireLimits(), **_said(file.wire)),
            cascade_streams=file.cascade_streams,
            durability=file.durability,
            prompts=file.prompts,
            redis_url=file.redis_url or self._from_environment(file.redis_url_env, "redis_url_env"),
            admin_token_hash=self._admin_token(),
            tls_certificate=self._tls_file(file.tls, "tls", "certificate"),
            tls_key=self._tls_file(file.tls, "tls", "key"),
            admin_tls_certificate=self._tls_file(file.admin_tls, "admin_tls", "certificate"),
            admin_tls_key=self._tls_file(file.admin_tls, "admin_tls", "key"),
            trace_endpoint=file.trace_endpoint,
        )

    def _path(self, text: str | None) -> Path | None:
        return None if text is None else (self._folder / text).absolute()

    def _existing(self, text: str, *place: str) -> Path:
        path = (self._folder / text).absolute()
        if not path.is_file():
            raise ConfigError(f"{self._place(*place)}: {path} is not there")
        return path

    def _tls_file(self, entry: TlsEntry | None, part: str, name: Literal["certificate", "key"]) -> Path | None:
        return None if entry is None else self._existing(getattr(entry, name), part, name)

    def _from_environment(self, variable: str | None, *place: str | int) -> str | None:
        if variable is None:
            return None
        value = self._environment.get(variable, "").strip()
        if not value:
            raise ConfigError(f"{self._place(*place)}: the environment variable {variable} is not set, or empty")
        return value

    def _upstream(self, name: str, entry: UpstreamEntry) -> Upstream:
        key = self._from_environment(entry.api_key_env, "upstreams", name, "api_key_env")
        if entry.api_key_file is not None:
            key = self._existing(entry.api_key_file, "upstreams", name, "api_key_file").read_text("utf-8").strip()
        with self._place.at("upstreams", name):
            return upstream_of(name, entry, key, self._folder)

    def _policy(self) -> LoadedPolicy | None:
        folder = self._path(self._file.policy)
        if folder is None:
            return None
        try:
            return load(folder)
        except PolicyError as error:
            raise ConfigError(f"{self._place('policy')}: {error}") from None

    def _tasks_file(self) -> Path | None:
        """The classifier's path, once it was read."""
        path = self._path(self._file.tasks_file)
        if path is None:
            return None
        from breakeven.routing.task_naming import load_task_naming

        try:
            load_task_naming(path)
        except PolicyError as error:
            raise ConfigError(f"{self._place('tasks_file')}: {error}") from None
        return path

    def _targets(
        self,
        name: str,
        entries: Sequence[TargetEntry],
        upstreams: Mapping[str, Upstream],
        policy: LoadedPolicy | None,
    ) -> tuple[Target, ...]:
        if not entries:
            raise ConfigError(f"{self._place('models', name)}: saw no upstream; wanted `upstream:` and `model:`")
        found = []
        for i, entry in enumerate(entries):
            if entry.upstream not in upstreams:
                raise ConfigError(
                    f"{self._place('models', name, i, 'upstream')}: no upstream is named '{entry.upstream}'"
                    f"; {nearest(entry.upstream, list(upstreams))}"
                )
            price: TokenPrice | None = None
            if entry.price is not None:
                with self._place.at("models", name, i, "price"):
                    price = price_of(entry.price, self._folder)
            elif policy is not None:
                listed = {each.name: each for each in policy.document.models}
                price = price_in_policy(listed[name]) if name in listed else None
            found.append(Target(name, upstreams[entry.upstream], entry.model or name, price))
        return tuple(found)

    def _keys(self) -> tuple[Key, ...]:
        found: dict[str, Key] = {}
        hashes: dict[bytes, str] = {}
        for i, entry in enumerate(self._file.keys):
            key = self._key(entry, i)
            if entry.id in found:
                raise ConfigError(f"{self._place('keys', i)}: a key named '{entry.id}' stands above; rename one")
            if key.key_hash in hashes:
                twin = hashes[key.key_hash]
                raise ConfigError(f"{self._place('keys', i)}: '{entry.id}' has the same key as '{twin}'; delete one")
            found[key.id] = key
            hashes[key.key_hash] = key.id
        return tuple(found.values())

    def _key(self, entry: KeyEntry, i: int) -> Key:
        if (entry.sha256 is None) == (entry.env is None):
            raise ConfigError(f"{self._place('keys', i)}: wanted one of `sha256:` (of the key) and `env:`")
        secret = self._from_environment(entry.env, "keys", i, "env")
        digest = hashlib.sha256(secret.encode()).digest() if secret else bytes.fromhex(entry.sha256 or "")
        end = None
        if entry.expires is not None:  # the day itself still counts
            end = datetime.combine(entry.expires + timedelta(days=1), time(), UTC).timestamp()
        return Key(
            entry.id,
            digest,
            entry.application,
            entry.models,
            entry.may_override,
            entry.may_give_outcomes,
            entry.budget_usd,
            entry.budget_days * _SECONDS_PER_DAY,
            entry.requests_per_minute,
            entry.tokens_per_minute,
            end,
            entry.is_disabled,
        )

    def _condition(self, entry: ConditionEntry, *place: str | int) -> Condition:
        header = None
        if entry.header is not None:
            ((name, value),) = entry.header.items()
            header = (name.lower().encode("latin-1", "replace"), value)
        if entry.pattern is not None:
            try:
                linear_regex(entry.pattern)
            except (PolicyError, ValueError) as error:
                raise ConfigError(f"{self._place(*place, 'when', 'pattern')}: {error}") from None
        return Condition(entry.task, entry.key, header, entry.path, entry.system_hash, entry.schema_hash, entry.pattern)

    def _admin_token(self) -> bytes | None:
        if self._file.admin_token_sha256 is not None:
            return bytes.fromhex(self._file.admin_token_sha256)
        secret = self._from_environment(self._file.admin_token_env, "admin_token_env")
        return None if secret is None else hashlib.sha256(secret.encode()).digest()

    def _check_names(
        self, upstreams: Mapping[str, Upstream], models: Mapping[str, Any], policy: LoadedPolicy | None
    ) -> None:
        """Whatever is named must be there, and something must be able to answer."""
        file, place = self._file, self._place
        named: list[tuple[tuple[str | int, ...], str]] = []
        if file.default_model is not None:
            named.append((("default_model",), file.default_model))
        for model, rest in file.fallbacks.items():
            if model in rest:
                raise ConfigError(f"{place('fallbacks', model)}: '{model}' cannot take its own place; delete it")
        named += [(("fallbacks", model), each) for model, rest in file.fallbacks.items() for each in (model, *rest)]
        named += [(("shadows", i, "model"), each.model) for i, each in enumerate(file.shadows)]
        named += [(("arms", "models", arm), model) for arm, model in (file.arms.models if file.arms else {}).items()]
        named += [(("keys", i, "models"), each) for i, key in enumerate(file.keys) for each in key.models]
        for path, model in named:
            if model not in models:
                raise ConfigError(f"{place(*path)}: no model is named '{model}'; {nearest(model, list(models))}")
        asked = [(("passthrough",), file.passthrough)] if file.passthrough else []
        pinned = [
            (("residency", i, "upstreams"), each) for i, rule in enumerate(file.residency) for each in rule.upstreams
        ]
        for where, upstream in (*asked, *pinned):
            if upstream not in upstreams:
                raise ConfigError(
                    f"{place(*where)}: no upstream is named '{upstream}'; {nearest(upstream, list(upstreams))}"
                )
        missing = [each for each in (policy.models if policy else ()) if each not in models]
        if missing:
            raise ConfigError(
                f"{place('policy')}: the policy may choose '{missing[0]}', which `models:` does not list; "
                "say where it can be had, or learn a policy without it"
            )
        self._check_keys(upstreams)
        if not models and file.passthrough is None:
            raise ConfigError(f"{place('upstreams')}: nothing can be asked: list `models:`, or name a `passthrough:`")
        if not file.keys and not file.open and file.admin_token_env is None and file.admin_token_sha256 is None:
            raise ConfigError(
                f"{place()}: nobody may ask: list `keys:`, set an admin token to make some, or write `open: true` "
                "(then no key is asked and the client's own is passed on)"
            )

    def _check_keys(self, upstreams: Mapping[str, Upstream]) -> None:
        """A client's own key goes to one server only; a rule by key names a key that can come."""
        file, place = self._file, self._place
        keyless = {(each.host, each.port): each.name for each in upstreams.values() if not each.auth_headers}
        if file.open and len(keyless) > 1:
            raise ConfigError(
                f"{place('open')}: the client's own key would be passed on to several servers "
                f"({', '.join(sorted(keyless.values()))}); give all but one an api_key_env, or list `keys:`"
            )
        known = [each.id for each in file.keys]
        has_admin = file.admin_token_env is not None or file.admin_token_sha256 is not None
        for part in ("residency", "tasks"):
            for i, rule in enumerate(getattr(file, part)):
                key = rule.when.key
                if key is None or (not file.open and (key in known or has_admin)):
                    continue
                why = "no key is asked (`open: true`), so" if file.open else f"no key is named '{key}', so"
                raise ConfigError(f"{place(part, i, 'when', 'key')}: {why} the rule would never hold")


def _said(part: Part) -> dict[str, Any]:
    return {name: value for name, value in part.model_dump().items() if value is not None}
