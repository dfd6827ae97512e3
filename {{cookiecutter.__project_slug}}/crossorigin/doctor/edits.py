"""A fix in two forms: a text for people, and edits for programs."""

import json
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """A line to write. `place` is a file, file:line of a `cors(…)` call, "environment" or "page"."""

    place: str
    set: str  # for "page", JSON of what changes in the page's call or address


class Fix(NamedTuple):
    """What to do about a blocked request; without edits where no change of this project helps."""

    text: str
    edits: tuple[Edit, ...] = ()


def change_page(**changes: Any) -> tuple[Edit, ...]:
    """Return the edit that changes the page's call (method, url, headers, credentials) or its origin."""
    return (Edit("page", json.dumps(changes)),)
