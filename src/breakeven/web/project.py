"""Project: a team's folder as the dashboard sees it: Calls, scenario, policy, pilots, outcomes and a gateway."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCENARIO_FILE: Final = "scenario.yaml"
PILOTS_FOLDER: Final = "pilots"
POLICY_FOLDER: Final = "policy"
STORE_FOLDER: Final = ".breakeven"
_PLACE: Final = re.compile(r"(?<![\w:/.])/(?:home|root|tmp|var|opt|srv|mnt|usr|etc|Users|private)/[^\s'\"`:;,()]*")


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
    def name(self) -> str:
        """What a person calls it: the folder's name."""
        return self.folder.resolve().name or "project"

    @property
    def is_synthetic(self) -> bool:
        """Whether made-up Calls are among its Calls; every page says so."""
        from breakeven.errors import UsageError
        from breakeven.usage.store.glance import glance

        try:
            return glance(self.store).is_synthetic
        except UsageError:  # damaged: the page that shows its Calls says so
            return False

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

    def without_places(self, text: str) -> str:
        """`text` as a browser may see it: paths below the project are relative to it, others only a name.

        >>> from pathlib import Path
        >>> Project.at(Path("/srv/team")).without_places("/srv/team/scenario.yaml:3 and /etc/x/y.yaml")
        'scenario.yaml:3 and …/y.yaml'
        """
        for folder in {str(self.folder.absolute()), str(self.folder.resolve())}:
            text = text.replace(f"{folder}/", "")
        return _PLACE.sub(lambda found: f"…/{found[0].rpartition('/')[2]}", text)
