"""Command group: verbs below a verb, which names the nearest one when there is none of the given name."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """A click group whose error for an unknown command says what was meant, or what there is."""

    noun = "command"
    """What a command of this group is called."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of the given name."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            ctx.fail(f"no {self.noun} '{args[0]}'; {self.meant(ctx, args[0], known)}")
        return super().resolve_command(ctx, args)

    def meant(self, ctx: click.Context, name: str, known: list[str]) -> str:
        """A clause that names the nearest command, or all; or says how a log is given."""
        from breakeven.errors import nearest

        return log_hint(ctx, name) or nearest(name, known)


def log_hint(ctx: click.Context, word: str) -> str | None:
    """How a log is given, where a word that nobody expected names a file and the verb (or some verb) takes logs."""
    from pathlib import Path

    verb = ctx.command_path.partition(" ")[2]
    if (verb and not any("--usage" in each.opts for each in ctx.command.params)) or not Path(word).exists():
        return None
    from shlex import quote

    return f"a log is given by --usage: breakeven {verb or 'compare'} --usage {quote(word)}"


def with_log_hint(error: click.UsageError) -> click.UsageError:
    """The error about one word too many says how a log is given, where the word is a file."""
    start, _, word = error.message.partition("(")
    if error.ctx is not None and start.startswith("Got unexpected extra argument"):
        hint = log_hint(error.ctx, word.removesuffix(")"))
        if hint is not None:
            return click.UsageError(f"{error.message}: {hint}", error.ctx)
    return error
