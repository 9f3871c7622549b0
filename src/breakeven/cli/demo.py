"""demo: run the whole chain on a bundled synthetic workload and write the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.stories import story_names

if TYPE_CHECKING:
    from breakeven.cli.output_files import OutputFiles

OUTCOMES_COUNT = 1_500


@click.command(
    epilog="Example: breakeven demo --out demo && open demo/report.html   |   breakeven demo --story support"
)
@click.option("--story", type=click.Choice(story_names()), help="Tell a made-up company's story, chapter by chapter.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only write the made-up log there.",
)
@click.option(
    "--outcomes", type=click.Path(dir_okay=False, path_type=Path), help="With --log: what its people said of answers."
)
@click.option("--calls", type=click.IntRange(100, 1_000_000), help="With --log: so many calls.")
@click.option("--weeks", type=click.IntRange(1, 52), help="With --log: so many weeks.")
@click.option(
    "--growth",
    "growth_per_week_fraction",
    type=click.FloatRange(-0.5, 1),
    help="With --log: growth a week, 0.1 for 10 %.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder. [demo, or demo-STORY]", show_default=False
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the log and the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(
    story: str | None,
    log: Path | None,
    outcomes: Path | None,
    calls: int | None,
    weeks: int | None,
    growth_per_week_fraction: float | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Generate a synthetic log, import it, compare every option, and write the report.

    With --story a made-up company goes the whole way instead: log, audit, comparison, judged answers, policy, pilot,
    decision. Its folder is a project that `breakeven ui --folder demo-STORY` opens; story.html tells it.

    Beside report.html and report.json stand report.xlsx with live formulas, report.md for a pull request, and
    report.pdf where the typst package is installed (`pip install 'breakeven[pdf]'`).

    The log is made up, and every page says so; the prices, ranges and formulas are the real ones.
    """
    if log is not None:
        _write_log(story or "support", log, outcomes, calls, weeks, growth_per_week_fraction, seed)
        return
    if not all(each is None for each in (outcomes, calls, weeks, growth_per_week_fraction)):
        raise click.UsageError("--outcomes, --calls, --weeks and --growth go with --log FILE")
    if story is not None:
        _tell(story, out or Path(f"demo-{story}"), seed, as_json=as_json)
        return
    _demo(out or Path("demo"), seed, as_json=as_json)


def _write_log(
    name: str,
    log: Path,
    outcomes: Path | None,
    calls_count: int | None,
    weeks_count: int | None,
    growth_per_week_fraction: float | None,
    seed: int,
) -> None:
    """The log of a story's company, and what people said of its models' answers."""
    from dataclasses import replace
    from datetime import timedelta

    from breakeven.cli.stories.made_up import price_of, write_outcomes
    from breakeven.cli.stories.story import story_named
    from breakeven.usage.synthetic_company import write_company_log

    story = story_named(name)
    company = story.company
    days_count = company.days_count if weeks_count is None else 7 * weeks_count
    lines_count = calls_count or round(company.calls_count * days_count / company.days_count)
    logged = lines_count / (company.calls_per_hour * 24 * days_count)  # the same traffic; more or less of it is logged
    company = replace(
        company,
        days_count=days_count,
        start=company.end - timedelta(days=days_count),
        calls_count=lines_count,
        sampled_fraction=min(logged, 1.0),
        growth_per_week_fraction=growth_per_week_fraction or 0.0,
    )
    write_company_log(log, company, seed=seed)
    told = f"one call in {1 / company.sampled_fraction:,.0f}" if company.sampled_fraction < 0.99 else "every call"
    click.echo(f"Synthetic: {company.calls_count:,} lines of {company.name}, made up, written to {log} ({told}).")
    if outcomes is not None:
        prices = [price_of(each, story.as_of) for each in story.judged]
        write_outcomes(outcomes, company, story.judged, prices, OUTCOMES_COUNT, seed + 1)
        click.echo(f"Synthetic: answers of {' and '.join(story.judged)} to {OUTCOMES_COUNT:,} requests in {outcomes}.")


def _tell(name: str, folder: Path, seed: int, *, as_json: bool) -> None:
    """A story: each chapter is printed as soon as it has been played."""
    from breakeven.cli.console import stdout_console
    from breakeven.cli.stories.story import Chapter, story_named
    from breakeven.cli.stories.telling import told_into
    from breakeven.reports.story_document import StoryDocument
    from breakeven.reports.story_terminal import render_chapter, render_story_end, render_story_head

    story, console = story_named(name), stdout_console()
    chapters_count = len(story.chapters)

    def begins(number: int, chapter: Chapter) -> None:
        if console.is_terminal and not as_json:
            click.echo(f"\n... chapter {number} of {chapters_count}: {chapter.title}", err=True)

    def ends(document: StoryDocument) -> None:
        if as_json:
            return
        if not document.chapters:
            render_story_head(document, console)
            return
        render_chapter(document.chapters[-1], console, chapters_count)

    document = told_into(story, folder, seed, begins, ends)
    if as_json:
        click.echo(document.model_dump_json(indent=2))
    else:
        render_story_end(document, console, str(folder))


def _demo(out: Path, seed: int, *, as_json: bool) -> None:
    """The whole chain on one log."""
    from importlib.util import find_spec

    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.cli.output_files import OutputFiles
    from breakeven.clock import now, today
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question, answer
    from breakeven.reports.document import to_json
    from breakeven.reports.warm_up import warm_up
    from breakeven.reports.workload_part import import_part
    from breakeven.usage.opened_calls import reading_warnings
    from breakeven.usage.store import CallStore
    from breakeven.usage.synthetic import write_synthetic_log

    document_path, log = out / "report.json", out / "synthetic-calls.jsonl"
    pdf = out / "report.pdf" if find_spec("typst") else None
    files = OutputFiles(html=out / "report.html", pdf=pdf, xlsx=out / "report.xlsx", md=out / "report.md")
    with progress() as say, CallStore.temporary() as store:
        warm_up(draws_charts=True)
        say("generating a synthetic log")
        write_text(out / ".gitignore", "*\n")
        write_synthetic_log(log, seed=seed)
        say("importing the log")
        report = store.ingest(log, now=now(), reject_path=out / "rejects.jsonl")
        question = Question(
            store,
            log.name,
            Scenario(seed=seed),
            today(),
            synthetic=True,
            imported=import_part(report),
            warnings=reading_warnings(report),
            next_command="breakeven import YOUR-LOG && breakeven compare",
        )
        document = answer(question, say)
        write_text(document_path, to_json(document))
        files.write(document, say)
    if as_json:
        click.echo(json.dumps({"report": str(files.html), "document": document.model_dump(mode="json")}, indent=2))
        return
    from breakeven.reports.terminal import render_comparison

    render_comparison(document, stdout_console())
    click.echo(f"\nReport: {(out / 'report.html').resolve()}")
    click.echo(f"Beside it: {beside(files)}")
    click.echo(f"The decision on one page: breakeven decide --report {document_path}")
    click.echo(f"Every number explained: breakeven explain {document_path} rented_on_demand.engineering_labour")


def beside(files: OutputFiles) -> str:
    """The files beside the report in words."""
    pdf = "report.pdf (two pages), " if files.pdf else ""
    more = "" if files.pdf else "; a PDF needs pip install 'breakeven[pdf]'"
    return f"report.xlsx (live formulas), {pdf}report.md (for a pull request), report.json (the document){more}"
