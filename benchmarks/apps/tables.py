"""The tables of the applications in this folder. They are those of a generated project.

SQLite has the same settings as in a generated project, so the databases do not cause differences.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import DateTime, ForeignKey, String, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

# the parameters of a generated project
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
LIFETIME = timedelta(days=7)


def now() -> datetime:
    return datetime.now(UTC)


class Model(DeclarativeBase):
    """The base class of the tables."""


class User(Model):
    """A user with a password."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class LoginSession(Model):
    """A session, identified by the key in its cookie."""

    __tablename__ = "login_session"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Note(Model):
    """A note of a user."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (declared so by SQLAlchemy)


# any thread may use a connection of the pool: the default of SQLAlchemy for files, and the advice of FastAPI
engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"), connect_args={"check_same_thread": False})


@event.listens_for(engine, "connect")
def tune_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 15000"):
        connection.execute(f"PRAGMA {pragma}")


def create_tables(users: list[str], password: str) -> None:
    """Create the tables, and users with one password."""
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(User(username=user, password_hash=hasher.hash(password)) for user in users)
        session.commit()
