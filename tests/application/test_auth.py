"""Sign-in and sign-out: sessions, cookies and rate limits."""

from unittest.mock import Mock

import pytest
from conftest import PASSWORD, add_ended_sessions, settings, sign_in
from my_lab_api import create_app, users
from my_lab_api.extensions import db, limiter
from my_lab_api.models import LoginSession, User, now
from my_lab_api.public import public
from my_lab_api.users import create_user
from sqlalchemy import func, select, update


def login(client, username, password=PASSWORD, **request):
    return client.post("/api/auth/login", json={"username": username, "password": password}, **request)


def get_me_statuses(*clients):
    """Return the status of `/api/auth/me` for each client."""
    return [client.get("/api/auth/me").status_code for client in clients]


def copy_client(client):
    """Return a client with a copy of the cookie of another client."""
    copy, name = client.application.test_client(), client.application.config["SESSION_COOKIE_NAME"]
    copy.set_cookie(name, client.get_cookie(name).value)
    return copy


def test_sign_in_returns_the_user_and_prevents_session_fixation(app):
    attacker = sign_in(app, "grace")
    victim = copy_client(attacker)
    answer = login(victim, "ada")
    assert (answer.status_code, answer.json) == (200, {"id": 1, "username": "ada"})
    assert victim.get("/api/auth/me").json == answer.json
    assert get_me_statuses(attacker) == [401]


def test_sign_out_a_new_password_and_expiry_end_sessions_on_the_server(app):
    browser, phone, grace = (sign_in(app, name) for name in ("ada", "ada", "grace"))
    copy = copy_client(browser)
    assert get_me_statuses(copy) == [200]
    assert browser.post("/api/auth/logout").status_code == 204
    assert get_me_statuses(browser, copy, phone, grace) == [401, 401, 200, 200]
    app.test_cli_runner().invoke(args=["user", "password", "ada"], input="a new password\n" * 2)
    assert get_me_statuses(phone, grace) == [401, 200]
    answers = [login(phone, "ada", password) for password in (PASSWORD, "a new password")]
    assert [answer.status_code for answer in answers] == [401, 200]
    with app.app_context():
        db.session.execute(update(LoginSession).values(expires_at=now()))
        db.session.commit()
    assert get_me_statuses(phone, grace) == [401, 401]


def test_an_unknown_name_and_a_wrong_password_get_the_same_response_after_one_hash(client, real_hasher, monkeypatch):
    monkeypatch.setattr(users, "hasher", real_hasher)
    login(client, "ada")  # updates the hash
    monkeypatch.setattr(users, "hasher", Mock(wraps=real_hasher))
    wrong, unknown = (login(client, name, "wrong") for name in ("ada", "nobody"))
    assert (wrong.status_code, wrong.json) == (unknown.status_code, unknown.json)
    assert wrong.status_code == 401
    one, other = (call.args[0].split("$")[:4] for call in users.hasher.verify.mock_calls)
    assert one == other  # the same parameters take the same time
    assert not users.hasher.hash.called


def test_sign_in_updates_an_old_hash(app, client, real_hasher, monkeypatch):
    monkeypatch.setattr(users, "hasher", real_hasher)
    login(client, "ada")
    with app.app_context():  # OWASP's first choice
        assert db.session.get(User, 1).password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert login(client, "ada").status_code == 200


BODY = '{"username": "%s", "password": "%s"}'
LONG, NUL = "x" * 5000, "\\u0000"
BAD_CREDENTIALS = {
    400: ("", "{", "NaN", "[" * 5000, b'"\xff"'),
    401: (BODY % ("ada' --", "x"),),
    422: (
        *("[]", "null", "1", "{}", BODY % (LONG, "x"), BODY % ("ada", LONG), BODY % (NUL, "x"), BODY % ("ada", NUL)),
        *(BODY % ("\\ud800", "x"), BODY % ("ada", "\\udfff")),
    ),
}


@pytest.mark.parametrize("status", BAD_CREDENTIALS)
def test_adversarial_credentials_are_refused_with_a_problem(client, status):
    for body in BAD_CREDENTIALS[status]:
        answer = client.post("/api/auth/login", data=body, content_type="application/json")
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), body


LIMITS = {  # user, password, address and expected status
    "LOGIN_ACCOUNT_LIMIT": "ada right 1 200, ada wrong 2 401, ada right 3 429, grace right 1 200",
    "LOGIN_LIMIT": "ada right 1 200, grace right 1 200, unknown wrong 1 429, ada right 2 200",
}


@pytest.mark.parametrize("name", LIMITS)
def test_sign_in_is_limited_by_account_and_by_address(database, name):
    client = create_app(settings(database, **{name: "2 per minute"})).test_client()
    for row in LIMITS[name].split(","):
        user, password, place, status = row.split()
        address = {"REMOTE_ADDR": f"10.0.0.{place}"}
        answer = login(client, user, PASSWORD if password == "right" else password, environ_overrides=address)
        assert answer.status_code == int(status), row
        assert status != "429" or 0 < int(answer.headers["Retry-After"]) <= 61


def test_a_blueprint_can_have_a_rate_limit(client, monkeypatch):
    monkeypatch.setattr(limiter.limit_manager, "_blueprint_limits", {})
    limiter.limit("2 per minute")(public)
    assert [client.get("/api/public/hello").status_code for _ in range(3)] == [200, 200, 429]


HTTPS = "https://api.example.com"
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": "0123456789abcdef" * 4, "FRONTEND_ORIGINS": "none"}
SECURE = {"HttpOnly", "Path=/", "Secure"}
COOKIES = {
    "development": ({}, {"HttpOnly", "Path=/", "SameSite=Lax"}),
    "production": (PRODUCTION, SECURE | {"SameSite=Lax"}),
    "across sites": (PRODUCTION | {"CROSS_SITE_COOKIES": "1"}, SECURE | {"SameSite=None", "Partitioned"}),
}


@pytest.mark.parametrize(("changes", "attributes"), COOKIES.values(), ids=COOKIES)
def test_the_cookie_has_the_attributes_of_the_mode_and_is_set_at_sign_in_and_sign_out_only(
    database, changes, attributes
):
    client = create_app(settings(database, **changes)).test_client()
    made = login(client, "ada", base_url=HTTPS)
    between = client.get("/api/auth/me", base_url=HTTPS)
    ended = client.post("/api/auth/logout", base_url=HTTPS)
    assert (between.status_code, "Set-Cookie" in between.headers) == (200, False)
    for answer in (made, ended):
        name, *found = answer.headers["Set-Cookie"].split("; ")
        assert {part for part in found if not part.startswith(("Expires=", "Max-Age="))} == attributes
        assert name.startswith("__Host-") is ("Secure" in attributes)


def test_the_demo_password_is_refused_in_production(database):
    with create_app(settings(database)).app_context():
        create_user("demo", "demo-password")
        db.session.commit()
    app = create_app(settings(database, **PRODUCTION))
    assert login(app.test_client(), "demo", "demo-password").status_code == 401


def test_a_cookie_is_valid_while_its_key_is_among_the_fallbacks(database):
    old, new = "0123456789abcdef", "fedcba9876543210"
    for signing, others, reading, status in (
        (old, "", {"SECRET_KEY": new}, 401),
        (old, "", {"SECRET_KEY": new, "SECRET_KEY_FALLBACKS": f"another one, {old}"}, 200),
        (new, old, {"SECRET_KEY": new}, 200),  # signed by the new key
    ):
        client = create_app(settings(database, SECRET_KEY=signing, SECRET_KEY_FALLBACKS=others)).test_client()
        login(client, "ada")
        later = create_app(settings(database, **reading)).test_client()
        name = later.application.config["SESSION_COOKIE_NAME"]
        later.set_cookie(name, client.get_cookie(name).value)
        assert get_me_statuses(later) == [status]


def test_a_sign_in_deletes_expired_sessions_only(app, ada):
    with app.app_context():
        add_ended_sessions(130)
        sign_in(app, "grace")
        assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 2
    assert get_me_statuses(ada) == [200]
