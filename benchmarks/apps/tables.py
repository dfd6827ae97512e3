"""The tables of the applications in this folder: as those of a generated project.

SQLite is set as a generated project sets it, so that databases are not a difference.
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
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Note(Model):
    """What a user has written."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
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
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 15000"):
        connection.execute(f"PRAGMA {pragma}")


def create_tables(users: list[str], password: str) -> None:
    """Make the tables, and users with one password."""
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(User(username=user, password_hash=hasher.hash(password)) for user in users)
        session.commit()
