"""A percent sign is never alone at the beginning of a line, and what a person typed or copies is never changed."""

from __future__ import annotations

import pytest

from breakeven.web.line_ends import kept_together

HARD = "\u00a0"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>95 % and 3 %</p>", f"<p>95{HARD}% and 3{HARD}%</p>"),
        ("95 %", "95 %"),  # no page
        ("<p>of <b>7</b> %</p>", "<p>of <b>7</b> %</p>"),
        ('<a title="95 %" href="?growth=2 %">2 %</a>', f'<a title="95 %" href="?growth=2 %">2{HARD}%</a>'),
        ("<textarea>half: 50 %\n</textarea>", "<textarea>half: 50 %\n</textarea>"),
        ("<code>whatif growth='2 %'</code>, 2 %", f"<code>whatif growth='2 %'</code>, 2{HARD}%"),
        ("<option>2 %</option><pre>2 %</pre>", "<option>2 %</option><pre>2 %</pre>"),
        ("<p>no share</p>", "<p>no share</p>"),
    ],
)
def test_only_words_of_a_page_are_kept_together(page: str, found: str) -> None:
    assert kept_together(page) == found
