"""Dry runs: requests that the application sends to itself, to explain a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_remarks: ContextVar[list[str] | None] = ContextVar("remarks", default=None)


def is_dry_run() -> bool:
    """Tell whether the current request is a dry run, which logs and rate limits must not count."""
    return _remarks.get() is not None


def add_remark(text: str) -> None:
    """Add a remark to the explanation of the current request, if it is a dry run."""
    remarks = _remarks.get()
    if remarks is not None:
        remarks.append(text)


@contextmanager
def dry_run() -> Iterator[list[str]]:
    """Run requests as dry runs, and collect their remarks in a list, also those of inner runs."""
    outer = _remarks.get()
    remarks = list[str]() if outer is None else outer
    token = _remarks.set(remarks)
    try:
        yield remarks
    finally:
        _remarks.reset(token)
