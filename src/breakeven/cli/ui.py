"""ui: open the dashboard on this machine: verdict with sliders, usage, audit, fleet, routing, pilot, gateway, facts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven.cli.stories import story_names

if TYPE_CHECKING:
    from breakeven.web.access import Access
    from breakeven.web.project import Project

PORT: Final = 8500
PASSWORD_ENV: Final = "BREAKEVEN_UI_PASSWORD"  # noqa: S105 the variable's name
TOKEN_ENV: Final = "BREAKEVEN_UI_TOKEN"  # noqa: S105
ADMIN_TOKEN_ENV: Final = "BREAKEVEN_ADMIN_TOKEN"  # noqa: S105
PASSWORD_LEAST_COUNT: Final = 8
TOKEN_LEAST_COUNT: Final = 16
NEEDED: Final = ("starlette", "uvicorn", "python_multipart")


@click.command(
    epilog="Example: breakeven ui --demo   |   breakeven ui --folder team/ --port 8500 --no-browser   |   "
    "breakeven ui --host 0.0.0.0 --token"
)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="The project; here when absent.")
@click.option("--store", type=click.Path(file_okay=False, path_type=Path), help="Calls. [FOLDER/.breakeven]")
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="[FOLDER/scenario.yaml]")
@click.option("--policy", type=click.Path(file_okay=False, path_type=Path), help="Routing policy. [FOLDER/policy]")
@click.option("--pilots", type=click.Path(file_okay=False, path_type=Path), help="Folder of pilots. [FOLDER/pilots]")
@click.option("--outcomes", type=click.Path(dir_okay=False, path_type=Path), help="File of outcomes.")
@click.option(
    "--gateway", metavar="URL", help=f"Admin port of a gateway; {ADMIN_TOKEN_ENV} holds its token, if it has one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Other machines need --password or --token.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, help=f"[{PORT} or the next that is free]", show_default=False
)
@click.option("--password", is_flag=True, help=f"Ask for a password now; or set {PASSWORD_ENV}.")
@click.option("--token", is_flag=True, help=f"Let in who has the address with the token in it; or set {TOKEN_ENV}.")
@click.option(
    "--demo", is_flag=True, help="Show a made-up team's calls, in a folder that is gone afterwards or FOLDER."
)
@click.option("--story", type=click.Choice(story_names()), help="Like --demo, with everything: a minute to play it.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a line of JSON once it answers.")
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path | None,
    store: Path | None,
    scenario: Path | None,
    policy: Path | None,
    pilots: Path | None,
    outcomes: Path | None,
    gateway: str | None,
    host: str,
    port: int,
    password: bool,
    token: bool,
    demo: bool,
    story: str | None,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Serve the dashboard of a project folder until Ctrl-C.

    The folder holds what the other verbs write: calls (`breakeven import`), scenario.yaml (`breakeven init`), a policy
    (`breakeven learn --out policy`), pilots. What is missing is explained on the page that needs it.

    Only this machine can reach it, and whoever may use this machine's loopback address may use it. Another --host lets
    others in; they need the password or the token.
    """
    _needs_packages()
    from dataclasses import replace

    from breakeven.web.serving import listening, serve

    secrets = _Secrets.asked(password, token)
    _refuse_open(host, secrets)
    with _place(folder, demo, story) as place:
        given = {"store": store, "scenario": scenario, "policy": policy, "pilots": pilots, "outcomes": outcomes}
        said: dict[str, Any] = {name: path for name, path in given.items() if path is not None}
        project = replace(_project(place, gateway), **said)
        is_default = ctx.get_parameter_source("port") is click.core.ParameterSource.DEFAULT
        listener = listening(host, port, or_next=is_default)
        teller = _Teller(
            project,
            secrets,
            demo="story" if story is not None else "calls" if demo else "",
            as_json=as_json,
            opens=not no_browser,
            asked_port=port,
        )
        is_over = serve(project, listener, secrets.access(listener.getsockname()[1]), teller.ready)
    if not as_json:
        click.echo("Ended.")
    if not is_over:  # native code that cannot be asked to stop, e.g. a compiler: nothing of it is wanted any more
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class _Secrets:
    """The password and the token of this dashboard, where it has any."""

    def __init__(self, password: str | None, token: str | None) -> None:
        self.password, self.token = password, token

    @classmethod
    def asked(cls, password: bool, token: bool) -> _Secrets:
        """From the environment, from the terminal, or drawn."""
        from secrets import token_urlsafe

        word = os.environ.get(PASSWORD_ENV) or None
        if word is None and password:
            word = click.prompt("Password of the dashboard", hide_input=True, confirmation_prompt=True, err=True)
        given = os.environ.get(TOKEN_ENV) or (token_urlsafe(24) if token else None)
        for text, least_count, what in (
            (word, PASSWORD_LEAST_COUNT, "password"),
            (given, TOKEN_LEAST_COUNT, "token"),
        ):
            if text is not None and len(text) < least_count:
                from breakeven.errors import DashboardError

                raise DashboardError(f"the {what} has {len(text)} characters; wanted at least {least_count}")
        return cls(word, given)

    @property
    def are_none(self) -> bool:
        return self.password is None and self.token is None

    def access(self, port: int) -> Access:
        """What the server keeps of them."""
        from breakeven.web.access import Access, Sealed, token_digest

        return Access(
            Sealed.of(self.password) if self.password else None,
            token_digest(self.token) if self.token else None,
            f"breakeven_ui_{port}",
        )


class _Teller:
    """Says where the dashboard is, and opens it."""

    def __init__(
        self, project: Project, secrets: _Secrets, *, demo: str, as_json: bool, opens: bool, asked_port: int
    ) -> None:
        self._project, self._secrets = project, secrets
        self._demo, self._as_json, self._opens, self._asked_port = demo, as_json, opens, asked_port

    def ready(self, url: str) -> None:
        """It answers."""
        address = f"{url}?token={self._secrets.token}" if self._secrets.token else url
        if self._as_json:
            facts = {
                "event": "ready",
                "url": address,
                "folder": str(self._project.folder.absolute()),
                "is_closed": not self._secrets.are_none,
            }
            click.echo(json.dumps(facts))
        else:
            click.echo(self._words(url, address))
        if self._opens and sys.stdout.isatty() and not self._as_json:
            import threading
            import webbrowser

            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    def _words(self, url: str, address: str) -> str:
        from breakeven.cli.console import safe

        lines = [f"The dashboard of {safe(self._project.name)} is at {address}  (Ctrl-C ends it)"]
        if self._asked_port and f":{self._asked_port}/" not in url:
            lines.append(f"  Port {self._asked_port} is in use, so it took the next free one.")
        if self._demo:
            lines.append("  Synthetic data: a made-up team's calls; prices, ranges and formulas are the real ones.")
            if self._demo == "calls":
                lines.append("  Calls alone: `breakeven ui --story support` fills the other pages, too (a minute).")
        if not self._secrets.are_none:
            lines.append("  Whoever opens it has to know the " + ("password." if self._secrets.password else "token."))
        return "\n".join(lines)


@contextmanager
def _place(folder: Path | None, demo: bool, story: str | None) -> Iterator[Path]:
    """The project's folder, filled with made-up calls for a demo."""
    from breakeven.cli.console import progress

    if not demo and story is None:
        yield folder or Path()
        return
    from tempfile import TemporaryDirectory

    with ExitStack() as ending:
        passing = None if folder else ending.enter_context(TemporaryDirectory(prefix="breakeven-"))
        place = folder or Path(str(passing)) / (story or "demo")
        with progress() as say:
            if story is not None:
                _play(story, place, say)
            else:
                _fill(place, say)
        yield place


def _play(name: str, folder: Path, say: Callable[[str], None]) -> None:
    """A made-up company's whole way: calls, audit, outcomes, policy, pilot; one that was played already is kept."""
    from breakeven.cli.stories.story import story_named
    from breakeven.cli.stories.telling import PAGE, told_into

    if (folder / f"{PAGE}.json").exists():
        return
    story = story_named(name)
    count = len(story.chapters)
    told_into(story, folder, 0, lambda at, each: say(f"chapter {at} of {count}: {each.title}"), lambda _: None)


def _fill(folder: Path, say: Callable[[str], None]) -> None:
    """A project of a made-up team; one that is there already is left as it is."""
    from breakeven.cli.console import write_text
    from breakeven.clock import now
    from breakeven.decision.scenario import scenario_template
    from breakeven.errors import DashboardError
    from breakeven.usage.store import CallStore
    from breakeven.usage.store.glance import glance
    from breakeven.usage.synthetic import write_synthetic_log
    from breakeven.web.project import Project

    project = Project.at(folder)
    if glance(project.store).calls_count:
        if not project.is_synthetic:
            raise DashboardError(f"{folder} holds calls of your own; name another --folder for --demo, or leave it out")
        return
    say("making up four weeks of calls")
    log = folder / "synthetic-calls.jsonl"
    write_synthetic_log(log)
    if not project.scenario.exists():
        write_text(project.scenario, scenario_template())
    say("importing them")
    with CallStore(project.store) as store:
        store.ingest(log, now=now(), reject_path=folder / "rejects.jsonl")


def _project(folder: Path, gateway: str | None) -> Project:
    from dataclasses import replace

    from breakeven.errors import DashboardError
    from breakeven.web.project import Project

    if not folder.exists():
        raise DashboardError(f"there is no folder {folder}; make it, or name the one with your calls with --folder")
    project = Project.at(folder)
    if gateway is None:
        return project
    from breakeven.web.gateway.client import checked_address

    checked_address(gateway)
    return replace(project, gateway_url=gateway.rstrip("/"), gateway_token=os.environ.get(ADMIN_TOKEN_ENV) or None)


def _refuse_open(host: str, secrets: _Secrets) -> None:
    from breakeven.errors import DashboardError
    from breakeven.web.serving import is_loopback

    if is_loopback(host):
        return
    if secrets.are_none:
        raise DashboardError(
            f"--host {host} lets other machines in, and nothing would ask them who they are; give --token or "
            f"--password, set {PASSWORD_ENV}, or leave --host out"
        )
    click.echo(
        "Mind: without TLS everybody on the way can read the password and the pages; put a proxy with TLS before it.",
        err=True,
    )


def _needs_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        from breakeven.errors import DashboardError

        names = ", ".join(missing).replace("_", "-")
        raise DashboardError(f"not installed: {names}. Run: pip install 'breakeven[ui]'")
