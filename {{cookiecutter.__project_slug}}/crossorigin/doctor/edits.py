"""A fix in two forms: a text for people, and edits for programs."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """A line to write. `place` is a file, file:line of a `cors(…)` call, "environment" or "page"."""

    place: str
    set: str  # for "page", JSON of what changes in the page's call or address


class Fix(NamedTuple):
    """What to do about a blocked request, without edits if a change in this project does not help."""

    text: str
    edits: tuple[Edit, ...] = ()


def change_page(text: str, **changes: Any) -> Fix:
    """Return the fix that changes the page's origin or its call (method, url, headers, credentials)."""
    return Fix(text, (Edit("page", json.dumps(changes)),) if changes else ())


def change_call(text: str, **changes: Any) -> Fix:
    """Return the fix that changes the page's call."""
    return change_page(f"in the page's call: {text}", **changes)


def write(place: str, line: str, remark: str = "") -> Fix:
    """Return the fix that writes a line."""
    return Fix(f"{place}: {line}{remark}", (Edit(place, line),))


def join(fixes: Iterable[Fix]) -> Fix:
    """Return several fixes as one."""
    fixes = list(fixes)
    return Fix("; and ".join(fix.text for fix in fixes), tuple(edit for fix in fixes for edit in fix.edits))
