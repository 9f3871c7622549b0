"""demo: run the whole chain on a bundled synthetic workload and write the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.stories import story_names

if TYPE_CHECKING:
    from breakeven.cli.output_files import OutputFiles


@click.command(
    epilog="Example: breakeven demo --out demo && open demo/report.html   |   breakeven demo --story support"
)
@click.option("--story", type=click.Choice(story_names()), help="Tell a made-up company's story, chapter by chapter.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder. [demo, or demo-STORY]", show_default=False
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the log and the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(story: str | None, out: Path | None, seed: int, as_json: bool) -> None:
    """Generate a synthetic log, import it, compare every option, and write the report.

    With --story a made-up company goes the whole way instead: log, audit, comparison, judged answers, policy, pilot,
    decision. Its folder is a project that `breakeven ui --folder demo-STORY` opens; story.html tells it.

    Beside report.html and report.json stand report.xlsx with live formulas, report.md for a pull request, and
    report.pdf where the typst package is installed (`pip install 'breakeven[pdf]'`).

    The log is made up, and every page says so; the prices, ranges and formulas are the real ones.
    """
    if story is not None:
        _tell(story, out or Path(f"demo-{story}"), seed, as_json=as_json)
        return
    _demo(out or Path("demo"), seed, as_json=as_json)


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
