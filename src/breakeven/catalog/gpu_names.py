"""GPU names: which good of the catalogue a price feed means. A name that fits two goods means neither.

Boards are different goods: an SXM board is not a PCIe or NVL card, and 40 GB are not 80. Feeds of short names
(``H100`` beside ``H100-PCIe`` and ``H100-NVL``) mean the SXM board by the bare name; in feeds of long names the board
must be said, in the name or in the remark. Editions of one card (RTX PRO 6000 server, workstation) are one good: same
chip, same memory.
"""

from __future__ import annotations

import re
from typing import Final

SHORT_NAMES: Final = {
    "A100-40GB": "A100-40-SXM",
    "A100-80GB": "A100-SXM-80",
    "A100-80GB-PCIe": "A100-PCIe-80",
    "B200": "B200-SXM-180",
    "B300": "B300-SXM",
    "H100": "H100-SXM-80",
    "H100-NVL": "H100-NVL",
    "H100-PCIe": "H100-PCIe",
    "H200": "H200-SXM-141",
    "RTX-6000-Ada": "RTX-6000-Ada",
    "RTX-PRO-6000": "RTX-PRO-6000-BSE",
    "RTX3090": "RTX-3090",
    "RTX4090": "RTX-4090",
    "RTX5090": "RTX-5090",
}
"""Feeds that write the board behind a hyphen: a bare name is the SXM board."""
ONE_BOARD: Final = {
    "A10": "A10",
    "A6000": "RTX-A6000",
    "B200": "B200-SXM-180",
    "B200 SXM": "B200-SXM-180",
    "B200 SXM6": "B200-SXM-180",
    "B300": "B300-SXM",
    "B300 SXM6": "B300-SXM",
    "GB300 SXM6": "GB300",
    "GH200": "GH200",
    "HGX B300": "B300-SXM",
    "L4": "L4",
    "L40": "L40",
    "L40S": "L40S",
    "MI300X": "MI300X",
    "RTX 3090": "RTX-3090",
    "RTX 4090": "RTX-4090",
    "RTX 4090 (High freq.)": "RTX-4090",
    "RTX 5090": "RTX-5090",
    "RTX 5090 (High freq.)": "RTX-5090",
    "RTX 6000 Ada": "RTX-6000-Ada",
    "RTX A6000": "RTX-A6000",
    "RTX PRO 6000": "RTX-PRO-6000-BSE",
    "RTX PRO 6000 BLACKWELL": "RTX-PRO-6000-BSE",
    "RTX PRO 6000 CC": "RTX-PRO-6000-BSE",
    "RTX PRO 6000 SE": "RTX-PRO-6000-BSE",
    "RTX PRO 6000 WE": "RTX-PRO-6000-BSE",
    "T4": "T4",
}
"""Long names, without the maker, of GPUs that are sold on one board only."""
_MAKERS: Final = re.compile(r"^(NVIDIA|AMD|GeForce|Tesla)\s+", re.IGNORECASE)
_SXM_MARKS: Final = ("SXM", "HGX")


def good_of(label: str, remark: str = "") -> str | None:
    """The catalogue's name for what a feed calls `label`; None: the name does not say which good it is.

    >>> good_of("H100"), good_of("NVIDIA H100", "SXM; on-demand"), good_of("NVIDIA H100", "None; on-demand")
    ('H100-SXM-80', 'H100-SXM-80', None)
    """
    name = label
    while (shorter := _MAKERS.sub("", name)) != name:
        name = shorter
    if label in SHORT_NAMES:
        return SHORT_NAMES[label]
    known = ONE_BOARD.get(name) or ONE_BOARD.get(name.upper())
    return known or _good_of_many_boards(name, remark)


def _good_of_many_boards(name: str, remark: str) -> str | None:
    """H100, H200 and A100: the board must be said, and for the A100 the memory too."""
    is_sxm = any(mark in name or mark in remark for mark in _SXM_MARKS)
    is_pcie, is_nvl = "PCIe" in name, bool(re.search(r"\bNVL\b", name))
    if "H100" in name:
        if is_pcie:
            return "H100-PCIe"
        return "H100-NVL" if is_nvl else "H100-SXM-80" if is_sxm else None
    if "H200" in name:
        return "H200-SXM-141" if is_sxm and not is_pcie and not is_nvl else None
    if "A100" in name and "80GB" in name:
        return "A100-PCIe-80" if is_pcie else "A100-SXM-80" if is_sxm else None
    return None
