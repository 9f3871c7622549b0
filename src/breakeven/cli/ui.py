"""ui: open the dashboard on this machine: verdict with sliders, usage, audit, fleet, routing, pilot, gateway, facts."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: breakeven ui   |   breakeven ui --folder team/ --port 8500 --no-browser")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The project; here when absent."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8500, show_default=True)
def command(folder: Path, port: int) -> None:
    """Serve the dashboard of a project folder on the loopback address."""
    from breakeven.web.project import Project
    from breakeven.web.serving import serve

    serve(Project.at(folder), "127.0.0.1", port)
