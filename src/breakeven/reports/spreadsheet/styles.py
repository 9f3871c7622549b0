"""Styles: the few looks that a cell of the workbook may have; blue on yellow is what a reader may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.reports.spreadsheet.book import Book, Format

FONT: Final = {"font_name": "Arial", "font_size": 9, "valign": "vcenter"}
INK, MUTED, RULE = "#1F2933", "#66727F", "#C9D1D9"
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "title": {"font_size": 16, "bold": True, "font_color": INK},
    "lead": {"font_size": 11, "text_wrap": True, "valign": "top", "font_color": INK},
    "note": {"font_color": MUTED, "text_wrap": True, "valign": "top"},
    "beside": {"font_color": MUTED, "indent": 1},
    "beside_text": {"font_color": INK, "indent": 1},
    "total_unit": {"font_color": MUTED, "top": 1, "top_color": RULE},
    "header_beside": {"bold": True, "bg_color": "#22384F", "font_color": "#FFFFFF", "indent": 1},
    "header_right": {"bold": True, "bg_color": "#22384F", "font_color": "#FFFFFF", "text_wrap": True, "align": "right"},
    "muted": {"font_color": MUTED},
    "header": {"bold": True, "bg_color": "#22384F", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"},
    "month": {"bold": True, "bg_color": "#22384F", "font_color": "#FFFFFF", "align": "right"},
    "heading": {"bold": True, "font_color": "#22384F", "bottom": 1, "bottom_color": RULE, "font_size": 10},
    "text": {"font_color": INK},
    "label": {"font_color": MUTED, "valign": "top"},
    "wrapped": {"font_color": INK, "text_wrap": True, "valign": "top"},
    "step": {"font_color": MUTED, "indent": 1},
    "strong": {"font_color": INK, "bold": True},
    "number": {"font_color": INK, "align": "right"},
    "given": {"font_color": INK, "align": "right", "bg_color": "#EEF1F4"},
    "input": {"font_color": "#0B3FBF", "align": "right", "bg_color": "#FFF8D6", "border": 1, "border_color": "#E3D9A6"},
    "total": {"font_color": INK, "align": "right", "bold": True, "top": 1, "top_color": RULE},
    "total_text": {"font_color": INK, "bold": True, "top": 1, "top_color": RULE},
    "guess": {"font_color": "#8A3B00", "bg_color": "#FDEBDD", "indent": 1},
    "static": {"font_color": MUTED, "align": "right", "italic": True},
    "static_text": {"font_color": MUTED, "italic": True},
    "link": {"font_color": "#0B5FBF", "underline": 1},
    "best": {"bg_color": "#DDF2E3", "bold": True},
    "changed": {"bg_color": "#F9C784", "bold": True, "align": "right"},
}
"""Name of a look -> its properties, on top of the font."""


@dataclass(slots=True)
class Styles:
    """The formats of one workbook, each made once."""

    book: Book
    _made: dict[tuple[str, str], Format] = field(default_factory=dict)

    def of(self, look: str, numbers: str = "") -> Format:
        """The format of that look; `numbers` shows numbers."""
        if (look, numbers) not in self._made:
            properties = {**FONT, **LOOKS[look], **({"num_format": numbers} if numbers else {})}
            self._made[look, numbers] = self.book.add_format(properties)
        return self._made[look, numbers]
