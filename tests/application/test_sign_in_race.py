"""A sign-in that runs while the password changes.

No session of the old password stays, and its new hash never overwrites the new password. Each test stops the sign-in at
one moment, and lets another thread change the password then.
"""

import threading
from datetime import datetime
from unittest.mock import Mock

import pytest
from argon2 import PasswordHasher
from conftest import PASSWORD
from flask import Flask
from flask.testing import FlaskClient
from my_lab_api import sessions, users
from my_lab_api.extensions import db
from my_lab_api.models import LoginSession, now
from sqlalchemy import func, select

NEW = "another horse battery"


def change_password(app: Flask) -> threading.Thread:
    """Start a thread that changes the password of ada, as `flask user password ada` does."""

    def change() -> None:
        with app.app_context():
            user = users.find_user("ada")
            assert user
            users.set_password(user, NEW)
            db.session.commit()

    thread = threading.Thread(target=change)
    thread.start()
    return thread


def login(client: FlaskClient, password: str) -> int:
    return client.post("/api/auth/login", json={"username": "ada", "password": password}).status_code


def assert_only_new_password_works(app: Flask, client: FlaskClient) -> None:
    """Assert that the cookie of the old password is worth nothing, and who can sign in."""
    assert client.get("/api/auth/me").status_code == 401
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0
    assert [login(app.test_client(), password) for password in (PASSWORD, NEW)] == [401, 200]


def build_hasher(time_cost: int) -> PasswordHasher:
    """Return a quick hasher; hashes of another time cost are due to be made anew at a sign-in."""
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)


each_cost = pytest.mark.parametrize("time_cost", [1, 2], ids=["the hash is up to date", "a new hash is due"])


@each_cost
def test_a_password_that_changes_after_the_old_one_was_verified_refuses_the_sign_in(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, time_cost: int
) -> None:
    hasher = build_hasher(time_cost)

    def verify_slowly(verified: str, password: str) -> bool:
        hasher.verify(verified, password)
        change_password(app).join(20)
        return True

    monkeypatch.setattr(users, "hasher", Mock(wraps=hasher, verify=verify_slowly, time_cost=time_cost))
    assert login(client, PASSWORD) == 401
    monkeypatch.setattr(users, "hasher", hasher)
    assert_only_new_password_works(app, client)


@each_cost
def test_a_password_that_changes_before_the_session_is_written_ends_that_session(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, time_cost: int
) -> None:
    monkeypatch.setattr(users, "hasher", build_hasher(time_cost))
    threads: list[threading.Thread] = []

    def change_meanwhile() -> datetime:
        """Change the password while the sign-in writes its session."""
        if not threads:
            threads.append(change_password(app))
            threads[0].join(0.3)
            assert threads[0].is_alive(), "the change did not wait for the sign-in"
        return now()

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "now", change_meanwhile)
        assert login(client, PASSWORD) == 200
    threads[0].join(20)
    assert_only_new_password_works(app, client)


def test_a_due_hash_is_written_with_the_session(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "hasher", build_hasher(2))
    assert [login(client, PASSWORD), client.get("/api/auth/me").status_code] == [200, 200]
    with app.app_context():
        user = users.find_user("ada")
        assert user
        assert "t=2" in user.password_hash
