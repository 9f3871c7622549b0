"""Serving: the dashboard's own web server."""

from __future__ import annotations

from breakeven.clock import today
from breakeven.web.app import application
from breakeven.web.jobs import Jobs
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.shelf import Shelf


def serve(project: Project, host: str, port: int) -> None:
    """Serve until somebody stops it."""
    import uvicorn

    jobs = Jobs()
    desk = Desk(project, jobs, Shelf(project.kept, jobs), today)
    uvicorn.run(application(desk), host=host, port=port, log_level="warning")
