"""serve: the gateway: routes requests by your policy, or only records them, and writes down every call."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from breakeven.gateway.config.settings import GatewaySettings

NEEDED = ("httptools", "orjson", "prometheus_client", "starlette", "uvicorn")


class WithExampleFile(click.Command):
    """A command whose help shows a whole configuration; what that needs is loaded only for the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example of a file, then the example of a call."""
        from breakeven.gateway.config.reference import EXAMPLE

        with formatter.section("A gateway.yaml"):
            for line in EXAMPLE.splitlines():
                formatter.write(f"  {line}\n")
        super().format_epilog(ctx, formatter)


@click.command(
    cls=WithExampleFile,
    epilog="Example: breakeven serve --upstream https://api.openai.com/v1   |   "
    "breakeven serve --config gateway.yaml --check   |   breakeven serve --config gateway.yaml --processes 4",
)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The gateway's YAML file.")
@click.option("--upstream", metavar="URL", help="Without a file: pass every request to this base URL and record it.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port on 127.0.0.1. [4000]")
@click.option("--listen", metavar="HOST:PORT", help="Where clients connect, in place of what the file says.")
@click.option("--admin", metavar="HOST:PORT", help="Where administrators and Prometheus connect.")
@click.option("--processes", type=click.IntRange(1, 256), metavar="N", help="Relay processes; one per core to spare.")
@click.option("--durability", type=click.Choice(["batch", "request"]), help="request: on disk before it is answered.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Folder for calls, keys and outcomes.")
@click.option("--check", is_flag=True, help="Only validate, and print what would be served.")
@click.option("--json", "as_json", is_flag=True, help="Print events (with --check: the settings) as JSON lines.")
@click.pass_context
def command(
    ctx: click.Context,
    config: Path | None,
    upstream: str | None,
    port: int | None,
    listen: str | None,
    admin: str | None,
    processes: int | None,
    durability: Literal["batch", "request"] | None,
    state: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Serve OpenAI's and Anthropic's API in front of your upstreams; base_url is all that a client changes.

    Signals: SIGHUP reads the file again without dropping a stream, SIGTERM or Ctrl-C finishes what is under way and
    ends. One line is printed when every process accepts connections. Logs go to stderr as JSON.
    """
    if (config is None) == (upstream is None):
        raise click.UsageError("name a file with --config, or an upstream with --upstream URL to record only")
    if port is not None and listen is not None:
        raise click.UsageError("--port is --listen 127.0.0.1:PORT; give one of them")
    place = f"127.0.0.1:{port}" if port is not None else listen
    changes = _Changes(place, admin, processes, durability, state)
    _needs_packages()
    if check:
        _check(config, upstream, changes, as_json)
        return
    from breakeven.gateway.control.cautions import cautions
    from breakeven.gateway.supervisor import run

    teller = _Teller(as_json, changes.settings(config, upstream), is_record_only=upstream is not None)
    for each in cautions(teller.settings):
        teller.tell("caution", what=each)
    if config is not None:
        code = run(config, teller.tell, changes.made_to)
    else:
        code = run(teller.settings, teller.tell)
    ctx.exit(code)


class _Changes:
    """What the options say otherwise than the file."""

    def __init__(
        self,
        listen: str | None,
        admin: str | None,
        processes_count: int | None,
        durability: Literal["batch", "request"] | None,
        state: Path | None,
    ) -> None:
        self._listen = listen
        self._admin = admin
        self._processes_count = processes_count
        self._durability = durability
        self._state = state

    def settings(self, config: Path | None, upstream: str | None) -> GatewaySettings:
        """What the file or the upstream, and the options, come to."""
        from breakeven.gateway.config.reading import read_settings, record_only

        if config is not None:
            return self.made_to(read_settings(config))
        assert upstream is not None
        return self.made_to(record_only(upstream))

    def made_to(self, settings: GatewaySettings) -> GatewaySettings:
        """The settings with the options in place; ConfigError names a strange address."""
        from dataclasses import replace

        from breakeven.errors import ConfigError
        from breakeven.gateway.config.base_url import listening_at

        changed: dict[str, Any] = {}
        for name, value in (("listen", self._listen), ("admin", self._admin)):
            if value is not None:
                try:
                    changed[f"{name}_host"], changed[f"{name}_port"] = listening_at(value)
                except ValueError as error:
                    raise ConfigError(f"--{name} {value}: {error}") from None
        if self._processes_count is not None:
            changed["processes_count"] = self._processes_count
        if self._durability is not None:
            changed["durability"] = self._durability
        if self._state is not None:
            changed["state_folder"] = self._state.absolute()
            if settings.keys_file is not None and settings.keys_file.parent == settings.state_folder:
                changed["keys_file"] = self._state.absolute() / settings.keys_file.name
        made = replace(settings, **changed)
        if made.listen_port and made.listen_port == made.admin_port and _overlap(made.listen_host, made.admin_host):
            raise ConfigError(
                f"clients (listen) and administrators (admin) would both connect to port {made.listen_port}; "
                "give each a port of its own"
            )
        return made


def _overlap(one: str, other: str) -> bool:
    """Whether two addresses may take each other's connections."""
    return one == other or bool({one, other} & {"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class _Teller:
    """Prints what happens: a line for people, or a JSON line for programs."""

    def __init__(self, as_json: bool, settings: GatewaySettings, is_record_only: bool) -> None:
        self.settings = settings
        self._as_json = as_json
        self._is_record_only = is_record_only

    def tell(self, event: str, **fields: Any) -> None:
        """One event, flushed: somebody may wait for it."""
        if event == "ready":
            fields["base_url"] = self._base_url(str(fields["listen"]))
        if self._as_json:
            line = json.dumps({"event": event, **fields})
        else:
            line = self._words(event, fields)
        with suppress(OSError):  # nobody reads any more: no reason to end
            click.echo(line)

    def _base_url(self, listen: str) -> str:
        scheme = "http" if self.settings.tls_certificate is None else "https"
        return f"{scheme}://{listen}/v1".replace("//0.0.0.0:", "//localhost:").replace("//[::]:", "//localhost:")

    def _words(self, event: str, fields: dict[str, Any]) -> str:
        from breakeven.cli.console import safe

        if event == "ready":
            return self._ready(fields)
        words = {
            "caution": "Mind: {what}",
            "child_ended": "{child} ended ({ended}); it starts again in {starts_again_in_s:g} s.",
            "restarted": "{child} serves again (process {pid}).",
            "not_reloaded": "Not reloaded: {why}",
            "draining": "Ending: what is under way has up to {up_to_s:g} s.",
            "failed": "It did not come up: {children}; {next}.",
        }
        if event == "reloaded":
            late = fields["needs_restart"]
            return "Reloaded." + (f" Only a restart changes: {late}." if late else "")
        if event == "stopped":
            why = "at the second signal" if fields["at_second_signal"] else "for they took too long"
            return "Ended." + (f" Killed, {why}: {fields['killed']}." if fields["killed"] else "")
        return safe(words[event].format(**fields)) if event in words else safe(f"{event}: {fields}")

    def _ready(self, fields: dict[str, Any]) -> str:
        from breakeven.cli.console import safe
        from breakeven.gateway.places import RECORD_FOLDERS

        base_url, count = fields["base_url"], fields["processes_count"]
        root = base_url.removesuffix("/v1")
        upstream = next(iter(self.settings.upstreams.values()))
        is_anthropic = self._is_record_only and upstream.dialect == "anthropic"
        base = f"{root} (ANTHROPIC_BASE_URL)" if is_anthropic else f"{base_url} (OPENAI_BASE_URL)"
        calls = " ".join(_shortest(self.settings.state_folder / each) for each in RECORD_FOLDERS)
        processes = f"{count} process{'es' if count != 1 else ''}"
        return (
            f"Serving on {fields['listen']} with {processes}; metrics: http://{fields['admin']}/metrics. Ctrl-C ends.\n"
            f"  Set base_url to {base}\n"
            f"  See the result: breakeven import {safe(calls)}"
        )


def _shortest(path: Path) -> str:
    """Relative to here where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _check(config: Path | None, upstream: str | None, changes: _Changes, as_json: bool) -> None:
    from breakeven.gateway.control.cautions import cautions
    from breakeven.gateway.control.pages import settings_page

    settings = changes.settings(config, upstream)
    page = settings_page(settings)
    warned = cautions(settings)
    if as_json:
        click.echo(json.dumps(page | {"cautions": list(warned)}, indent=2, allow_nan=False))
        return
    from breakeven.cli.console import stdout_console
    from breakeven.reports.gateway_terminal import render_served

    render_served(page, warned, stdout_console())


def _needs_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        from breakeven.errors import GatewayError

        raise GatewayError(f"not installed: {', '.join(missing)}. Run: pip install 'breakeven[gateway]'")
