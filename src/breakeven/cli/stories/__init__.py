"""Stories: made-up companies, each told from its first log to the end by the verbs that a user types."""

from __future__ import annotations

import pkgutil


def story_names() -> tuple[str, ...]:
    """The stories there are: one for each file of `companies/`.

    >>> story_names()
    ('code', 'fintech', 'support')
    """
    from breakeven.cli.stories import companies

    return tuple(sorted(each.name for each in pkgutil.iter_modules(companies.__path__)))
