"""check: recompute somebody else's claim, name the factor and the lines it leaves out."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import click

from breakeven import clock


@click.command(epilog="Example: breakeven check cynscode-g5 --explain   |   breakeven check my-claim.yaml --json")
@click.argument("claim", required=False)
@click.option("--list", "as_list", is_flag=True, help="List the published cases that ship with breakeven.")
@click.option("--all", "everything", is_flag=True, help="Check all published cases, one table.")
@click.option("--show", is_flag=True, help="Print the file of a published case, to start your own from.")
@click.option("--quantities", is_flag=True, help="List what can be recomputed; CLAIM, if given, is a part of the name.")
@click.option("--explain", is_flag=True, help="Print the tree behind each figure.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Size missing lines with the facts of this date.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    claim: str | None,
    as_list: bool,
    everything: bool,
    show: bool,
    quantities: bool,
    explain: bool,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Recompute the CLAIM of a YAML file, or of a published case by its name, from its own inputs.

    Exit code 0: every published figure follows, within the claim's tolerance. 1: at least one does not. 2: the file
    makes no sense, and is told where.
    """
    if quantities:
        _list_quantities(claim or "", as_json)
    elif as_list:
        _list_cases(as_json)
    elif everything:
        ctx.exit(0 if _check_all(as_of, as_json) else 1)
    elif claim is None:
        raise click.UsageError("name a claim file or a published case; `breakeven check --list` lists the cases")
    elif show:
        from breakeven.claims.bundled import bundled_claim

        click.echo(bundled_claim(claim).text, nl=False)
    else:
        ctx.exit(0 if _check(claim, as_of, as_json, explain) else 1)


def _check(claim: str, as_of: datetime | None, as_json: bool, explain: bool) -> bool:
    from breakeven.catalog.load import load_catalog
    from breakeven.claims.bundled import bundled_claim
    from breakeven.claims.check import check_claim
    from breakeven.claims.file import read_claim
    from breakeven.cli.console import stdout_console

    path = Path(claim)
    is_path = path.suffix in (".yaml", ".yml") or path.exists() or "/" in claim
    file = read_claim(path, clock.today()) if is_path else bundled_claim(claim)
    catalog = load_catalog(_day(as_of))
    checked = check_claim(file, catalog)
    if as_json:
        from breakeven.reports.claim_document import claim_document

        click.echo(json.dumps(claim_document(checked, catalog), indent=2, allow_nan=False))
    else:
        from breakeven.reports.terminal_claim import render_claim

        render_claim(checked, catalog, stdout_console(), explain=explain)
    return checked.is_reproduced


def _check_all(as_of: datetime | None, as_json: bool) -> bool:
    from breakeven.catalog.load import load_catalog
    from breakeven.claims.bundled import bundled_claim, bundled_names
    from breakeven.claims.check import check_claim
    from breakeven.cli.console import progress, stdout_console

    catalog = load_catalog(_day(as_of))
    checked = []
    with progress(as_json) as say:
        for name in bundled_names():
            say(f"checking {name}")
            checked.append(check_claim(bundled_claim(name), catalog))
    if as_json:
        from breakeven.reports.claim_document import claim_document

        documents = [claim_document(each, catalog, traces=False) for each in checked]
        click.echo(json.dumps(documents, indent=2, allow_nan=False))
    else:
        from breakeven.reports.terminal_claim import render_claims

        render_claims(checked, catalog, stdout_console())
    return all(each.is_reproduced for each in checked)


def _list_cases(as_json: bool) -> None:
    from breakeven.claims.bundled import bundled_claim, bundled_names

    titles = {name: bundled_claim(name).entry.title for name in bundled_names()}
    if as_json:
        click.echo(json.dumps(titles, indent=2, ensure_ascii=False))
        return
    width = max(map(len, titles))
    click.echo("\n".join(f"{name:<{width}}  {title}" for name, title in titles.items()))


def _list_quantities(part_of_name: str, as_json: bool) -> None:
    from breakeven.claims.registry import registry

    known = registry()
    found = {name: known.ways_in_words(name) for name in known.names() if part_of_name in name}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, ways in found.items():
        click.echo(name)
        for way in ways:
            click.echo(f"  from {way}")


def _day(as_of: datetime | None) -> date:
    return as_of.date() if as_of else clock.today()
