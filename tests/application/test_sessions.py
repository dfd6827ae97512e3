"""Sessions: the row in the database decides when a session expires, not the time stamp of the cookie."""

from datetime import timedelta

import pytest
from conftest import settings, sign_in
from flask import Flask
from itsdangerous import TimestampSigner
from my_lab_api import create_app
from my_lab_api.extensions import db
from my_lab_api.models import LoginSession, now
from sqlalchemy import update


@pytest.mark.parametrize("seconds", [-60, -1, 1, 60, 3600])
def test_servers_with_different_clocks_accept_the_same_cookie(
    database: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    one, other = (create_app(settings(database)) for _ in range(2))
    with monkeypatch.context() as patch:
        right = TimestampSigner.get_timestamp
        patch.setattr(TimestampSigner, "get_timestamp", lambda signer: right(signer) + seconds)
        client = sign_in(one, "ada")
    name = one.config["SESSION_COOKIE_NAME"]
    copy, cookie = other.test_client(), client.get_cookie(name)
    assert cookie
    copy.set_cookie(name, cookie.value)
    assert copy.get("/api/auth/me").status_code == 200


def test_a_session_expires_with_its_row_and_not_with_the_cookie(app: Flask) -> None:
    client = sign_in(app, "ada")
    app.permanent_session_lifetime = timedelta(seconds=-1)  # Flask alone would refuse every cookie
    assert client.get("/api/auth/me").status_code == 200
    with app.app_context():
        db.session.execute(update(LoginSession).values(expires_at=now()))
        db.session.commit()
    assert client.get("/api/auth/me").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "e30.x.y", "..", "\x7f", "e30." * 1000])
def test_a_cookie_with_an_invalid_signature_is_anonymous(app: Flask, cookie: str) -> None:
    client = app.test_client()
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie)
    assert client.get("/api/auth/me").status_code == 401
