"""Sign-up, sign-in, sign-out: sessions, cookies, rate limits and CSRF protection."""

from conftest import PASSWORD
from sqlalchemy import update

from {{ cookiecutter.__package }} import create_app
from {{ cookiecutter.__package }}.extensions import db
from {{ cookiecutter.__package }}.models import LoginSession, now
from {{ cookiecutter.__package }}.users import create_user, find_user, set_password

ADA = {"username": "ada", "password": PASSWORD}
HTTPS = "https://api.example.com"
OTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


def copy_cookie(client, other):
    """Copy the session cookie of a client to another client."""
    name = client.application.config["SESSION_COOKIE_NAME"]
    other.set_cookie(name, client.get_cookie(name).value)


def get_cookie_attributes(app, **request):
    """Sign in, and return the name of the cookie and its attributes."""
    response = app.test_client().post("/api/auth/login", json=ADA, **request)
    cookie, *attributes = response.headers["Set-Cookie"].split("; ")
    return cookie.partition("=")[0], attributes


def test_sign_up_creates_a_user_and_signs_in(client):
    response = client.post("/api/auth/register", json={"username": "eve", "password": PASSWORD})
    assert response.status_code == 201
    assert client.get("/api/auth/me").json == response.json


def test_sign_up_refuses_a_username_that_exists(client):
    response = client.post("/api/auth/register", json=ADA | {"username": "ADA"})
    assert response.status_code == 409


def test_sign_up_refuses_an_unsafe_password(client):
    assert client.post("/api/auth/register", json={"username": "eve", "password": "short"}).status_code == 422


def test_sign_up_ignores_a_role(app, client):
    client.post("/api/auth/register", json={"username": "eve", "password": PASSWORD, "role": "admin"})
    with app.app_context():
        assert find_user("eve").role == "user"


def test_sign_up_is_closed_in_production_unless_a_setting_opens_it(production):
    eve = {"username": "eve", "password": PASSWORD}
    for changes, status in (({}, 403), ({"REGISTRATION": "1"}, 201)):
        client = create_app(production | changes).test_client()
        assert client.post("/api/auth/register", json=eve, base_url=HTTPS).status_code == status


def test_sign_in_returns_the_user(client):
    response = client.post("/api/auth/login", json=ADA)
    assert response.status_code == 200
    assert response.json["username"] == "ada"


def test_the_session_cookie_identifies_the_user(ada):
    response = ada.get("/api/auth/me")
    assert response.status_code == 200
    assert response.json["username"] == "ada"


def test_a_cookie_with_a_wrong_signature_is_refused(app, client):
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], "not-signed")
    assert client.get("/api/auth/me").status_code == 401


def test_an_unknown_username_gets_the_same_response_as_a_wrong_password(client):
    wrong = client.post("/api/auth/login", json=ADA | {"password": "wrong"})
    unknown = client.post("/api/auth/login", json={"username": "nobody", "password": "wrong"})
    assert unknown.status_code == 401
    assert unknown.json == wrong.json


def test_sign_out_ends_the_session(ada):
    assert ada.post("/api/auth/logout").status_code == 204
    assert ada.get("/api/auth/me").status_code == 401


def test_sign_out_deletes_the_session_on_the_server(ada, client):
    copy_cookie(ada, client)
    assert client.get("/api/auth/me").status_code == 200
    ada.post("/api/auth/logout")
    assert client.get("/api/auth/me").status_code == 401


def test_a_new_password_signs_the_user_out_everywhere(app, ada, grace):
    with app.app_context():
        set_password(find_user("ada"), "a new password")
        db.session.commit()
    assert ada.get("/api/auth/me").status_code == 401
    assert grace.get("/api/auth/me").status_code == 200


def test_a_session_expires(app, ada):
    with app.app_context():
        db.session.execute(update(LoginSession).values(expires_at=now()))
        db.session.commit()
    assert ada.get("/api/auth/me").status_code == 401


def test_a_new_session_key_at_each_sign_in_prevents_session_fixation(grace, client):
    copy_cookie(grace, client)  # as an attacker sets it in the browser of ada
    client.post("/api/auth/login", json=ADA)
    assert client.get("/api/auth/me").json["username"] == "ada"
    assert grace.get("/api/auth/me").status_code == 401


def test_sign_in_has_a_rate_limit_for_each_account(settings):
    client = create_app(settings | {"LOGIN_ACCOUNT_LIMIT": "1 per minute"}).test_client()
    client.post("/api/auth/login", json=ADA | {"password": "wrong"})
    assert client.post("/api/auth/login", json=ADA).status_code == 429
    assert client.post("/api/auth/login", json=ADA | {"username": "grace"}).status_code == 200


def test_sign_in_has_a_rate_limit_for_each_address(settings):
    client = create_app(settings | {"LOGIN_LIMIT": "1 per minute"}).test_client()
    client.post("/api/auth/login", json={"username": "nobody", "password": "wrong"})
    response = client.post("/api/auth/login", json=ADA)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.post("/api/auth/login", json=ADA, environ_overrides=elsewhere).status_code == 200


def test_rate_limits_count_an_ipv6_network_as_one_address(settings):
    client = create_app(settings | {"LOGIN_LIMIT": "1 per minute"}).test_client()
    for address, status in (("2001:db8::1", 200), ("2001:db8::2", 429), ("[2001:db8:1::1]:443", 200)):
        response = client.post("/api/auth/login", json=ADA, environ_overrides={"REMOTE_ADDR": address})
        assert response.status_code == status


def test_csrf_protection_refuses_a_change_from_another_site(ada):
    assert ada.post("/api/auth/logout", headers=OTHER_SITE).status_code == 403
    assert ada.get("/api/auth/me").status_code == 200


def test_csrf_protection_refuses_a_sign_in_from_another_site(client):
    assert client.post("/api/auth/login", json=ADA, headers=OTHER_SITE).status_code == 403


def test_csrf_protection_uses_origin_without_sec_fetch_site(ada):
    assert ada.post("/api/auth/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert ada.post("/api/auth/logout", headers={"Origin": "http://localhost"}).status_code == 204


def test_csrf_protection_allows_the_own_origin(ada):
    assert ada.post("/api/auth/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204


def test_the_cookie_has_no_secure_attribute_in_development(app):
    _, attributes = get_cookie_attributes(app)
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert "Secure" not in attributes  # WebKit refuses it on http://localhost


def test_the_cookie_is_secure_and_bound_to_its_host_in_production(production):
    name, attributes = get_cookie_attributes(create_app(production), base_url=HTTPS)
    assert name.startswith("__Host-")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(attributes)


def test_the_cookie_is_partitioned_for_front_ends_of_another_site(production):
    app = create_app(production | {"CROSS_SITE_COOKIES": "1"})
    name, attributes = get_cookie_attributes(app, base_url=HTTPS)
    assert name.startswith("__Host-")
    assert {"HttpOnly", "Path=/", "SameSite=None", "Secure", "Partitioned"} <= set(attributes)


def test_the_demo_password_is_refused_in_production(settings, production):
    with create_app(settings).app_context():
        create_user("demo", "demo-password")
        db.session.commit()
    demo = {"username": "demo", "password": "demo-password"}
    response = create_app(production).test_client().post("/api/auth/login", json=demo, base_url=HTTPS)
    assert response.status_code == 401
