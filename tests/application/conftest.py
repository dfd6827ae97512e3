"""Fixtures of tests that run inside a generated project: an application, its database, users and clients."""

import gc
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from dotenv import dotenv_values
from flask import Flask
from flask.testing import FlaskClient
from my_lab_api import create_app, users
from my_lab_api.database import parse_database_url
from my_lab_api.extensions import db
from my_lab_api.models import LoginSession, Model, User, now
from sqlalchemy import Engine, Pool, create_engine, event, text
from sqlalchemy.orm import Session

PAGE = "http://localhost:5173"
FRONTEND_ORIGINS = str(dotenv_values(".env.example")["FRONTEND_ORIGINS"])  # of the project in the current folder
PASSWORD = "correct horse battery"
TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL")  # a PostgreSQL database that the tests may empty


def pytest_collection_finish() -> None:
    """Exclude the libraries and the tests from garbage collection."""
    gc.freeze()


def settings(database: str, **changes: str) -> dict[str, str]:
    """Return the settings of a development application, with changes."""
    return {
        "APP_ENV": "development",
        "SECRET_KEY": "only-for-tests",
        "FRONTEND_ORIGINS": FRONTEND_ORIGINS,
        "DATABASE_URL": database,
        "FRONTEND_DIST": "not-built",  # never a real build
        **changes,
    }


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """The hasher of the application. The other tests use a fast one."""
    with pytest.MonkeyPatch.context() as patch:
        real = users.hasher
        patch.setattr(users, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield real


def fill(engine: Engine) -> None:
    """Create the tables and the users ada and grace."""
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        password_hash = users.hasher.hash(PASSWORD)
        session.add_all(User(username=name, password_hash=password_hash) for name in ("ada", "grace"))
        session.commit()


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite database with users, created once and copied for each test."""
    path = tmp_path_factory.mktemp("database") / "filled.sqlite"
    fill(create_engine(f"sqlite:///{path}"))
    return path.read_bytes()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine | None]:
    """An engine for the database of TEST_DATABASE_URL, or None if it is not set."""
    if not TEST_DATABASE_URL:
        yield None
        return
    engine = create_engine(parse_database_url(TEST_DATABASE_URL))
    assert "test" in str(engine.url.database), (
        "the name of the database must contain 'test', because the tests empty it"
    )
    yield engine
    engine.dispose()


@pytest.fixture
def new_database(tmp_path: Path, postgresql: Engine | None) -> Iterator[str]:
    """The URL of a database without tables."""
    if postgresql is None:
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    opened: list[Any] = []
    with postgresql.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    event.listen(Pool, "connect", remember := lambda connection, _: opened.append(connection))
    yield postgresql.url.render_as_string(hide_password=False)
    event.remove(Pool, "connect", remember)
    for connection in opened:  # the applications do not close their connections
        connection.close()


@pytest.fixture
def database(new_database: str, tmp_path: Path, filled_file: bytes, postgresql: Engine | None) -> str:
    """The URL of a database with ada and grace in it."""
    if postgresql is None:
        (tmp_path / "test.sqlite").write_bytes(filled_file)
    else:
        fill(postgresql)
    return new_database


@pytest.fixture
def app(database: str) -> Flask:
    return create_app(settings(database))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that is not signed in."""
    return app.test_client()


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A client that is signed in as ada."""
    return sign_in(app, "ada")


def sign_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/api/auth/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200
    return client


def add_ended_sessions(number: int) -> None:
    """Add expired sessions of ada."""
    ended = now() - timedelta(seconds=1)
    db.session.add_all(LoginSession(key=f"old {n}", user_id=1, expires_at=ended) for n in range(number))
    db.session.commit()
