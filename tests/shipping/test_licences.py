"""The list of licences names everything that the locks install, at their versions, and nothing that binds a user."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "licences.md"
LOCKS = ("runtime.txt", "gateway.txt")
PLACE = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux", "platform_system": "Linux"}


def locked() -> dict[str, str]:
    """Name and version of each package that is installed with Python 3.11 on Linux."""
    found = {}
    for lock in LOCKS:
        for line in (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines():
            pinned = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\\\]+))?", line)
            if pinned and (not pinned[3] or Marker(pinned[3].strip()).evaluate(PLACE)):  # type: ignore[arg-type]
                found[re.sub(r"[-_.]+", "-", pinned[1]).lower()] = pinned[2]
    return found


def listed() -> dict[str, tuple[str, str]]:
    """Name, version and licence of each package of the page."""
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name): (version, licence) for name, version, licence in rows if name != "package"}


def test_the_page_lists_what_is_locked() -> None:
    page = {name: version for name, (version, _) in listed().items()}
    assert {name: version for name, version in locked().items() if page.get(name) != version} == {}, "run `make sbom`"


def test_no_licence_asks_users_to_publish_their_own_work() -> None:
    bound = {name: words for name, (_, words) in listed().items() if re.search(r"\b(A?GPL|SSPL|BUSL)\b", words)}
    assert bound == {}
