"""Fixtures: an application on its own database, two users, and clients that sign in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from {{ cookiecutter.__package }} import create_app, sessions
from {{ cookiecutter.__package }}.commands import add_user
from {{ cookiecutter.__package }}.extensions import db
from {{ cookiecutter.__package }}.models import Model

PAGE = "http://localhost:5173"
FRONTEND_ORIGINS = "{{ cookiecutter.__frontend_origins }}"
PASSWORD = "correct horse battery"


def settings(database: Path, **changes: str) -> dict[str, str]:
    """Return the settings of a development application, with changes."""
    return {
        "APP_ENV": "development",
        "SECRET_KEY": "only-for-tests",
        "FRONTEND_ORIGINS": FRONTEND_ORIGINS,
        "DATABASE_URL": f"sqlite:///{database}",
        "FRONTEND_DIST": str(database.parent / "dist"),  # not what somebody has built beside the tests
        **changes,
    }


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """The hasher of the application; the tests hash cheaply instead, or they would wait for little else."""
    with pytest.MonkeyPatch.context() as patch:
        real = sessions.hasher
        patch.setattr(sessions, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield real


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with ada and grace in it, made once and copied for each test."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite"
    app = create_app(settings(path))
    with app.app_context():
        Model.metadata.create_all(db.engine)
        for name in ("ada", "grace"):
            add_user(name, PASSWORD)
        db.session.commit()
        db.engine.dispose()
    return path.read_bytes()


@pytest.fixture
def database(tmp_path: Path, empty_database: bytes) -> Path:
    path = tmp_path / "test.sqlite"
    path.write_bytes(empty_database)
    return path


@pytest.fixture
def app(database: Path) -> Flask:
    return create_app(settings(database))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that is not signed in."""
    return app.test_client()


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A client that is signed in as ada."""
    return signed_in(app, "ada")


def signed_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/api/auth/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200
    return client
