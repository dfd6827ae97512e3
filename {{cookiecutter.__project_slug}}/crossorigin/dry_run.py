"""Whether the current request is a dry run: the application asks itself, to explain a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_explaining: ContextVar[list[str] | None] = ContextVar("explaining", default=None)


def is_dry_run() -> bool:
    """Tell whether the current request is a dry run, which no log and no rate limit should count."""
    return _explaining.get() is not None


def add_remark(text: str) -> None:
    """Tell whoever explains the current request what its response does not show."""
    remarks = _explaining.get()
    if remarks is not None:
        remarks.append(text)


@contextmanager
def dry_run() -> Iterator[list[str]]:
    """Explain requests instead of serving them; the list gets the remarks, those of inner runs as well."""
    outer = _explaining.get()
    remarks = list[str]() if outer is None else outer
    token = _explaining.set(remarks)
    try:
        yield remarks
    finally:
        _explaining.reset(token)
