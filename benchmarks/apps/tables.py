"""The tables of the applications in this folder: those of a generated project, whose migration has made them.

SQLite is set as a generated project sets it, so that databases are no difference; `benchmarks.shapes` compares them.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import DateTime, ForeignKey, String, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# the parameters of a generated project
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
LIFETIME = timedelta(days=7)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Model(DeclarativeBase):
    """What the tables share."""


class User(Model):
    """Somebody with a password."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class LoginSession(Model):
    """A sign-in, by the key that its cookie carries."""

    __tablename__ = "login_session"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Note(Model):
    """What a user has written."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (declared so by SQLAlchemy)


# any thread may use a connection that the pool hands to it: SQLAlchemy's default for files, and FastAPI's advice
engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"), connect_args={"check_same_thread": False})


@event.listens_for(engine, "connect")
def tune_sqlite(connection: Any, _record: Any) -> None:
    """Set a new connection as a generated project does."""
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 15000"):
        connection.execute(f"PRAGMA {pragma}")
