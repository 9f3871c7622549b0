"""Project: a team's folder as the dashboard sees it: Calls, scenario, policy, pilots, outcomes and a gateway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCENARIO_FILE: Final = "scenario.yaml"
PILOTS_FOLDER: Final = "pilots"
POLICY_FOLDER: Final = "policy"
STORE_FOLDER: Final = ".breakeven"


@dataclass(frozen=True, slots=True)
class Project:
    """Where each thing lies. A path may point at nothing yet: the page that shows it then says how to begin."""

    folder: Path
    store: Path
    """What `breakeven import` fills."""
    scenario: Path
    """The scenario file; edits on the Facts page and saved sliders write here or beside it."""
    policy: Path
    """Folder that `breakeven learn --out` wrote."""
    pilots: Path
    """Folder with one folder for each pilot."""
    outcomes: Path | None = None
    """File of outcomes, where one was named."""
    gateway_url: str | None = None
    """Address of a gateway's admin port, e.g. http://127.0.0.1:9090; None: no gateway is shown."""
    gateway_token: str | None = None
    """Its admin token; never shown, never logged."""

    @property
    def kept(self) -> Path:
        """Folder of the dashboard's own: documents computed earlier, undo history, uploads under way."""
        return self.store / "ui"

    @classmethod
    def at(cls, folder: Path) -> Project:
        """The usual places in `folder`."""
        return cls(
            folder, folder / STORE_FOLDER, folder / SCENARIO_FILE, folder / POLICY_FOLDER, folder / PILOTS_FOLDER
        )
