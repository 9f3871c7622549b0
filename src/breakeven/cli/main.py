"""The `breakeven` command: finds its verbs by walking this folder, imports only the one that is called.

`--help` must stay instant, so the one-line help of each verb is read from its file's docstring without
importing it.
"""

from __future__ import annotations

import ast
import errno
import io
import os
import pkgutil
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from breakeven import __version__, cli
from breakeven.cli.command_group import CommandGroup, with_log_hint
from breakeven.errors import BreakevenError

NO_PLACE: Final = frozenset({errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EMFILE})
"""What a machine refuses: a user can mend it, and a traceback would say no more than its words."""
SPOKEN_WORD_LETTERS_COUNT: Final = 4
"""Shorter words are in every line of help."""
NOT_VERBS = frozenset(
    {
        "main",
        "command_group",
        "console",
        "reference",
        "man_page",
        "scenario_options",
        "usage_source",
        "output_files",
        "baseline_options",
        "comparison_source",
        "learning_extra",
        "stories",
    }
)


class Verbs(CommandGroup):
    """A command group whose commands are the modules of this folder."""

    noun = "verb"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs; a trailing underscore (``import_``) keeps Python's keywords out of the way."""
        names = (each.name for each in pkgutil.iter_modules(cli.__path__))
        return sorted(name.rstrip("_") for name in names if name not in NOT_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of the verb and return its `command`."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(_module_name(cmd_name)).command
        return command

    def meant(self, ctx: click.Context, name: str, known: list[str]) -> str:
        """The nearest verb; else the one whose line of help speaks of it first, as `serve` does of the gateway."""
        clause = super().meant(ctx, name, known)
        if clause.startswith("known") and len(name) >= SPOKEN_WORD_LETTERS_COUNT:
            spoken = [(at, verb) for verb in known if (at := verb_summary(verb).casefold().find(name.casefold())) >= 0]
            if spoken:
                verb = min(spoken)[1]
                return f"did you mean '{verb}' ({verb_summary(verb)})?"
        return clause

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs with the first line of their docstrings, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb_summary(name)) for name in self.list_commands(ctx)])


def _module_name(verb: str) -> str:
    for candidate in (verb, verb + "_"):
        name = f"{cli.__name__}.{candidate}"
        if find_spec(name) is not None:
            return name
    raise LookupError(verb)


def verb_summary(verb: str) -> str:
    """The first line of a verb's file, without importing it."""
    spec = find_spec(_module_name(verb))
    assert spec is not None and spec.origin is not None
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].partition(": ")[2].rstrip(".")


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: breakeven demo   |   breakeven compare --usage calls.jsonl --html report.html",
)
@click.version_option(__version__, prog_name="breakeven")
def group() -> None:
    """From your LLM usage log to an honest answer: what every way to serve it costs, and how sure we are."""


def extra_with(module: str, verb: str = "") -> str | None:
    """The extra of this distribution that brings a module: the verb's own, else the first; None where none does.

    >>> extra_with("orjson"), extra_with("opentelemetry.sdk"), extra_with("nobody")
    ('gateway', 'otel', None)
    >>> extra_with("starlette"), extra_with("starlette", "ui")
    ('gateway', 'ui')
    """
    from importlib.metadata import PackageNotFoundError, requires

    top = module.partition(".")[0].replace("_", "-").casefold()
    try:
        asked = requires("breakeven") or []
    except PackageNotFoundError:
        return None
    found = []
    for line in asked:
        requirement, _, marker = line.partition(";")
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].casefold()
        _, is_extra, extra = marker.partition("extra == ")
        if is_extra and extra.strip("'\" ") != "dev" and (name == top or name.startswith(f"{top}-")):
            found.append(extra.strip("'\" "))
    return verb if verb in found else next(iter(found), None)


def write_any_sign() -> None:
    """Let stdout take every sign: a file or a pipe gets UTF-8, a terminal that lacks a sign shows `?`.

    Without it a locale of one byte (Latin-1, or what Windows gives a pipe) ends a verb at its first line of a table.
    """
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.encoding.casefold().replace("-", "") != "utf8":
        is_chosen = "PYTHONIOENCODING" in os.environ or out.isatty()
        out.reconfigure(encoding=None if is_chosen else "utf-8", errors="replace")


def _indented(message: str) -> str:
    """Each problem on its line; all but the first are indented, so that a name with a line end forges no message.

    >>> _indented("a.yaml, line 1: unknown key 'x'\\na.yaml, line 2: unknown key 'y'")
    "a.yaml, line 1: unknown key 'x'\\n  a.yaml, line 2: unknown key 'y'"
    """
    from breakeven.cli.console import safe

    return "\n  ".join(safe(line).strip() for line in message.split("\n"))


def main() -> None:
    """Run the command line; errors of ours print as text and exit with 2."""
    write_any_sign()
    try:
        code = group.main(standalone_mode=False)  # click returns the code of its own Exit
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.UsageError as error:
        with_log_hint(error).show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BreakevenError as error:
        click.echo(f"{type(error).__name__}: {_indented(str(error))}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        from breakeven.cli.console import safe

        click.echo(f"{safe(str(error.filename or 'a file'))} cannot be written or read: {error.strerror}", err=True)
        sys.exit(2)
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        click.echo("stopped", err=True)  # in a query of DuckDB, which makes an error of its own of Ctrl-C
        sys.exit(130)
    except ModuleNotFoundError as error:
        extra = extra_with(error.name or "", next(iter(sys.argv[1:]), ""))
        if extra is None:
            raise
        click.echo(f"not installed: {error.name}. Run: pip install 'breakeven[{extra}]'", err=True)
        sys.exit(2)
    if isinstance(code, int) and code:
        sys.exit(code)


if __name__ == "__main__":
    main()
