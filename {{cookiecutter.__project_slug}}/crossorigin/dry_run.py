"""Whether the current request is only a rehearsal: asked by the application itself, to explain it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_explaining: ContextVar[bool] = ContextVar("explaining", default=False)


def is_dry_run() -> bool:
    """Tell whether the current request is only a rehearsal, which no log and no limit should count."""
    return _explaining.get()


@contextmanager
def dry_run() -> Iterator[None]:
    token = _explaining.set(True)
    try:
        yield
    finally:
        _explaining.reset(token)
