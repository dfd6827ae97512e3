"""PostgreSQL by psycopg: a database that hangs costs a request some seconds, and the server no thread."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

# seconds: to connect; for a statement, after which PostgreSQL itself ends it; for any answer at all
CONNECT_WITHIN, STATEMENT_WITHIN, ANSWER_WITHIN = 3, 5, 8


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when PostgreSQL does not answer in time."""

    def wait(self, *args: Any, **options: Any) -> Any:
        options.setdefault("timeout", ANSWER_WITHIN)
        try:
            return super().wait(*args, **options)
        except psycopg.OperationalError:
            if self.info.transaction_status == TransactionStatus.ACTIVE:  # no answer, not even this error
                self.pgconn.finish()
            raise


def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    """Return a new connection, in place of the one that SQLAlchemy would make."""
    connection = Connection.connect(*arguments, **({"connect_timeout": CONNECT_WITHIN} | options))
    connection.execute(f"SET statement_timeout = '{STATEMENT_WITHIN}s'")
    connection.commit()
    return connection
