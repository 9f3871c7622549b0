"""catalog: list, show and check the catalogue of prices and facts, read its prices again, add a model."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven.cli.command_group import CommandGroup

if TYPE_CHECKING:
    from breakeven.catalog.files import CatalogFiles
    from breakeven.catalog.load import Catalog

KINDS: Final = (
    "token_offer",
    "gpu_offer",
    "endpoint",
    "fact",
    "exchange_rate",
    "gpu",
    "model",
    "provider",
    "carbon",
)
GRADES: Final = ("measured", "official", "quoted", "expert", "guess")

as_of_option = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The catalogue of this date.")
path_option = click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="A catalogue folder of your own instead of the one that ships.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the page.")


@click.group(
    cls=CommandGroup,
    epilog="Example: breakeven catalog list h100   |   breakeven catalog check   |   breakeven catalog refresh --write",
)
def command() -> None:
    """Every price and fact: what it is, where it was read, how old it is; read prices again, add a model of yours.

    Only `refresh` uses the network.
    """


@command.command(
    "list",
    short_help="Every entry with value, day read, age, grade.",
    epilog="Example: breakeven catalog list --kind gpu_offer --stale",
)
@click.argument("text", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@click.option("--grade", type=click.Choice(GRADES), help="Only entries whose source has this grade.")
@click.option("--stale", "only_stale", is_flag=True, help="Only what must be looked at again.")
@as_of_option
@path_option
@json_option
def list_entries(
    text: tuple[str, ...],
    kind: str | None,
    grade: str | None,
    only_stale: bool,
    as_of: datetime | None,
    path: Path | None,
    as_json: bool,
) -> None:
    """List entries with value, unit, day read, age and grade. TEXT: words that name or source must contain.

    Figures are low, typical and high: 5 %, 50 % and 95 % quantiles.
    """
    from breakeven.catalog.entries import EntryKind
    from breakeven.reports.catalog_pages import Filter, list_page

    day = _day(as_of)
    catalog, _ = _opened(path, day)
    wanted = Filter(EntryKind(kind) if kind else None, grade, only_stale, " ".join(text))
    _print(list_page(catalog, day, wanted), "list", as_json)


@command.command(
    "show",
    short_help="One entry: history, quotes, who reads it.",
    epilog="Example: breakeven catalog show h100-sxm-spot",
)
@click.argument("name")
@as_of_option
@path_option
@json_option
def show(name: str, as_of: datetime | None, path: Path | None, as_json: bool) -> None:
    """Show everything about NAME: every dated value with its source, the quotes behind a range, what reads it."""
    from breakeven.reports.catalog_pages import show_page

    day = _day(as_of)
    catalog, files = _opened(path, day)
    _print(show_page(catalog, files, day, name), "show", as_json)


@command.command(
    "check", short_help="What must be looked at again.", epilog="Example: breakeven catalog check --fail-on-stale"
)
@click.option("--fail-on-stale", is_flag=True, help="Exit with 1 when something is stale or was never confirmed.")
@as_of_option
@path_option
@json_option
def check(fail_on_stale: bool, as_of: datetime | None, path: Path | None, as_json: bool) -> None:
    """Check every row, and name those that somebody must look at again, with file and line.

    Exits with 0 when every row is sound, 1 when rows are stale and --fail-on-stale is given, 2 when a row is wrong.
    """
    from breakeven.reports.catalog_pages import check_page, exit_code_of_check

    day = _day(as_of)
    catalog, files = _opened(path, day)
    if path is None:
        _check_ledger()
    page = check_page(catalog, files, day, is_bundled=path is None)
    _print(page, "check", as_json)
    code = exit_code_of_check(page, fail_on_stale=fail_on_stale)
    if code:
        raise click.exceptions.Exit(code)


@command.command(
    "refresh",
    short_help="Read prices again; --write keeps them.",
    epilog="Example: breakeven catalog refresh --only gpus --write",
)
@click.option("--write", "is_written", is_flag=True, help="Append what was read to your folder; without it, only look.")
@click.option("--only", type=click.Choice(["tokens", "gpus"]), help="Read one of the two sources.")
@click.option(
    "--accept", multiple=True, metavar="NAME", help="Believe this price though it moved by over 50 %; or all."
)
@click.option("--without", multiple=True, metavar="PROVIDER", help="Leave out this provider's GPU offers.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of refreshed rows; $BREAKEVEN_CATALOGUE, or breakeven/catalogue in your data folder, when absent.",
)
@click.option("--token-url", metavar="URL", help="Token price list; where genai-prices publishes it when absent.")
@click.option("--gpu-url", metavar="URL", help="Base of the GPU offers; where gpuhunt publishes them when absent.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For each answer.",
)
@json_option
def refresh_prices(
    is_written: bool,
    only: str | None,
    accept: tuple[str, ...],
    without: tuple[str, ...],
    into: Path | None,
    token_url: str | None,
    gpu_url: str | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Read token prices (genai-prices) and GPU rents (gpuhunt) again, and show what moved.

    A source that cannot be read whole and believed changes nothing. Prices are added with their day; the past keeps its
    own. Exits with 0, with 1 when a price moved so far that it waits for --accept, with 2 when a source failed.
    """
    from breakeven.catalog.overlay import default_folder
    from breakeven.catalog.refresh.download import Limits
    from breakeven.catalog.refresh.moves import Status
    from breakeven.catalog.refresh.run import SOURCES, RefreshPlan, refresh
    from breakeven.catalog.refresh.write import write
    from breakeven.cli.console import progress
    from breakeven.clock import today
    from breakeven.reports.catalog_pages import refresh_page

    folder = into or default_folder()
    addresses: dict[str, Any] = {"token_url": token_url, "gpu_url": gpu_url}
    plan = RefreshPlan(
        folder,
        today(),
        tuple(each for each in SOURCES if only in (None, each)),
        without=without,
        accepted=frozenset(accept),
        limits=Limits(timeout_s),
        **{name: url for name, url in addresses.items() if url},
    )
    with progress() as say:
        result = refresh(plan, say)
    if is_written:
        write(result.files, folder)
    _print(refresh_page(result, str(folder), written=is_written), "refresh", as_json)
    if result.count(Status.HELD_BACK):
        raise click.exceptions.Exit(1)


@command.command(
    "add-model",
    short_help="Add an open model from its config.json.",
    epilog="Example: breakeven catalog add-model ~/models/my-model/config.json --name my-model --dry-run",
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the entry; the end of the file's _name_or_path when absent.")
@click.option("--dry-run", is_flag=True, help="Only count; write nothing.")
@click.option("--replace", "replaces", is_flag=True, help="Replace an entry that you added before.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your own entries; $BREAKEVEN_CATALOGUE, or breakeven/catalogue in your data folder, when absent.",
)
@json_option
def add_model(config: Path, name: str | None, dry_run: bool, replaces: bool, into: Path | None, as_json: bool) -> None:
    """Count parameters, weights and KV cache of the model of a Hugging Face CONFIG (config.json), and keep the entry.

    Reads from disk only. A family whose layers are not known, or a missing field, is an error, never a guess.
    """
    from breakeven.catalog.added_model import added_file, added_model, check_is_new
    from breakeven.catalog.load import load_catalog
    from breakeven.catalog.overlay import default_folder
    from breakeven.catalog.refresh.write import write
    from breakeven.cli.console import stdout_console
    from breakeven.clock import today
    from breakeven.reports.added_model import added_model_page, render_added_model

    folder, day = into or default_folder(), today()
    model = added_model(config, name, day)
    check_is_new(model, load_catalog(day), folder, replaces=replaces)
    if not dry_run:
        write(added_file(model, folder), folder)
    page = added_model_page(model, str(folder), written=not dry_run)
    if as_json:
        click.echo(json.dumps(page, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        render_added_model(page, stdout_console())


def _day(as_of: datetime | None) -> date:
    from breakeven.clock import today

    return as_of.date() if as_of else today()


def _opened(path: Path | None, day: date) -> tuple[Catalog, CatalogFiles]:
    from breakeven.catalog.load import catalog_files, load_catalog, read_catalog

    return (load_catalog(day) if path is None else read_catalog(path, day)), catalog_files(path)


def _check_ledger() -> None:
    from breakeven.catalog.files import read_files
    from breakeven.catalog.ledger import changed_rows, fingerprints, recorded_rows
    from breakeven.errors import CatalogError

    changed = changed_rows(recorded_rows(), fingerprints(read_files()))
    if changed:
        raise CatalogError(
            f"{len(changed)} published row(s) changed: {', '.join(changed[:5])}. The past keeps its price."
        )


def _print(page: dict[str, Any], verb: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(page, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from breakeven.cli.console import stdout_console
    from breakeven.reports.terminal_catalog import RENDER

    RENDER[verb](page, stdout_console())
