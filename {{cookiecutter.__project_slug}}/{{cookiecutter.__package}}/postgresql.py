"""PostgreSQL by psycopg: a database that hangs costs a few requests some seconds, and the others nothing."""

from time import monotonic
from typing import Any

import psycopg
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus

# seconds: to connect; for a statement, which PostgreSQL itself then ends; for any answer; to the next try
CONNECT_WITHIN, STATEMENT_WITHIN, ANSWER_WITHIN, TRY_AGAIN_AFTER = 3, 5, 6, 1

_silent_until: float = 0  # as far as this process knows; 0 when PostgreSQL answers


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when PostgreSQL does not answer in time."""

    def wait(self, *args: Any, **options: Any) -> Any:
        """Wait for an answer; psycopg by itself would wait for ever."""
        options.setdefault("timeout", ANSWER_WITHIN)
        try:
            return super().wait(*args, **options)
        except psycopg.OperationalError:
            if self.info.transaction_status == TransactionStatus.ACTIVE:  # no answer, not even this error
                self.pgconn.finish()
                _expect_silence(TRY_AGAIN_AFTER)
            raise


def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    """Return a new connection, in place of the one that SQLAlchemy would make.

    While PostgreSQL hangs, one thread of this process tries to connect; the others do not wait with it.
    """
    if monotonic() < _silent_until:
        raise psycopg.OperationalError("PostgreSQL did not answer a moment ago")
    if _silent_until:
        _expect_silence(CONNECT_WITHIN)
    try:
        connection = Connection.connect(*arguments, **({"connect_timeout": CONNECT_WITHIN} | options))
        connection.execute(f"SET statement_timeout = '{STATEMENT_WITHIN}s'")
        connection.commit()
    except ConnectionTimeout:
        _expect_silence(TRY_AGAIN_AFTER)
        raise
    _expect_silence(None)
    return connection


def _expect_silence(seconds: float | None) -> None:
    global _silent_until
    _silent_until = monotonic() + seconds if seconds else 0
