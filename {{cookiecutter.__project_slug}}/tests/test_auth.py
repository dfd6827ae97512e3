"""Sign up, in and out: sessions, cookies, rate limits and CSRF protection."""

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
    """Give another client the session cookie of a client, as a thief would."""
    name = client.application.config["SESSION_COOKIE_NAME"]
    other.set_cookie(name, client.get_cookie(name).value)


def get_cookie_attributes(app, **request):
    """Sign in, and return the name of the cookie and its attributes."""
    response = app.test_client().post("/api/auth/login", json=ADA, **request)
    cookie, *attributes = response.headers["Set-Cookie"].split("; ")
    return cookie.partition("=")[0], attributes


def test_sign_up_makes_a_user_who_is_signed_in(client):
    response = client.post("/api/auth/register", json={"username": "eve", "password": PASSWORD})
    assert response.status_code == 201
    assert client.get("/api/auth/me").json == response.json


def test_sign_up_refuses_a_name_that_somebody_has(client):
    response = client.post("/api/auth/register", json=ADA | {"username": "ADA"})
    assert response.status_code == 409


def test_sign_up_refuses_an_unsafe_password(client):
    assert client.post("/api/auth/register", json={"username": "eve", "password": "short"}).status_code == 422


def test_nobody_signs_up_with_a_role_of_his_choice(app, client):
    client.post("/api/auth/register", json={"username": "eve", "password": PASSWORD, "role": "admin"})
    with app.app_context():
        assert find_user("eve").role == "user"


def test_sign_up_is_closed_in_production_unless_a_setting_opens_it(production):
    eve = {"username": "eve", "password": PASSWORD}
    for opened, status in (({}, 403), ({"REGISTRATION": "1"}, 201)):
        client = create_app(production | opened).test_client()
        assert client.post("/api/auth/register", json=eve, base_url=HTTPS).status_code == status


def test_sign_in_answers_who_the_user_is(client):
    response = client.post("/api/auth/login", json=ADA)
    assert response.status_code == 200
    assert response.json["username"] == "ada"


def test_the_cookie_tells_later_requests_who_is_signed_in(ada):
    response = ada.get("/api/auth/me")
    assert response.status_code == 200
    assert response.json["username"] == "ada"


def test_a_forged_cookie_signs_nobody_in(app, client):
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], "forged")
    assert client.get("/api/auth/me").status_code == 401


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(client):
    wrong = client.post("/api/auth/login", json=ADA | {"password": "wrong"})
    unknown = client.post("/api/auth/login", json={"username": "nobody", "password": "wrong"})
    assert unknown.status_code == 401
    assert unknown.json == wrong.json


def test_sign_out_ends_the_session(ada):
    assert ada.post("/api/auth/logout").status_code == 204
    assert ada.get("/api/auth/me").status_code == 401


def test_sign_out_ends_the_session_on_the_server_as_well(ada, client):
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


def test_a_session_ends_in_time(app, ada):
    with app.app_context():
        db.session.execute(update(LoginSession).values(expires_at=now()))
        db.session.commit()
    assert ada.get("/api/auth/me").status_code == 401


def test_a_new_session_key_at_each_sign_in_prevents_session_fixation(grace, client):
    copy_cookie(grace, client)  # planted in the browser of ada
    client.post("/api/auth/login", json=ADA)
    assert client.get("/api/auth/me").json["username"] == "ada"
    assert grace.get("/api/auth/me").status_code == 401


def test_sign_ins_are_limited_for_each_account(settings):
    client = create_app(settings | {"LOGIN_ACCOUNT_LIMIT": "1 per minute"}).test_client()
    client.post("/api/auth/login", json=ADA | {"password": "wrong"})
    assert client.post("/api/auth/login", json=ADA).status_code == 429
    assert client.post("/api/auth/login", json=ADA | {"username": "grace"}).status_code == 200


def test_sign_ins_are_limited_for_each_address(settings):
    client = create_app(settings | {"LOGIN_LIMIT": "1 per minute"}).test_client()
    client.post("/api/auth/login", json={"username": "nobody", "password": "wrong"})
    response = client.post("/api/auth/login", json=ADA)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.post("/api/auth/login", json=ADA, environ_overrides=elsewhere).status_code == 200


def test_the_addresses_of_an_ipv6_network_count_as_one(settings):
    client = create_app(settings | {"LOGIN_LIMIT": "1 per minute"}).test_client()
    for address, status in (("2001:db8::1", 200), ("2001:db8::2", 429), ("[2001:db8:1::1]:443", 200)):
        response = client.post("/api/auth/login", json=ADA, environ_overrides={"REMOTE_ADDR": address})
        assert response.status_code == status


def test_a_page_of_another_site_cannot_change_anything(ada):
    assert ada.post("/api/auth/logout", headers=OTHER_SITE).status_code == 403
    assert ada.get("/api/auth/me").status_code == 200


def test_a_page_of_another_site_cannot_sign_anybody_in(client):
    assert client.post("/api/auth/login", json=ADA, headers=OTHER_SITE).status_code == 403


def test_the_origin_decides_where_the_browser_does_not_tell_the_site(ada):
    assert ada.post("/api/auth/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert ada.post("/api/auth/logout", headers={"Origin": "http://localhost"}).status_code == 204


def test_a_page_of_the_own_origin_may_change_things(ada):
    assert ada.post("/api/auth/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204


def test_the_cookie_in_development(app):
    _, attributes = get_cookie_attributes(app)
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert "Secure" not in attributes  # WebKit refuses it on http://localhost


def test_the_cookie_in_production(production):
    name, attributes = get_cookie_attributes(create_app(production), base_url=HTTPS)
    assert name.startswith("__Host-")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(attributes)


def test_the_cookie_in_production_for_pages_of_another_site(production):
    app = create_app(production | {"CROSS_SITE_COOKIES": "1"})
    name, attributes = get_cookie_attributes(app, base_url=HTTPS)
    assert name.startswith("__Host-")
    assert {"HttpOnly", "Path=/", "SameSite=None", "Secure", "Partitioned"} <= set(attributes)


def test_nobody_signs_in_with_the_public_password_in_production(settings, production):
    with create_app(settings).app_context():
        create_user("demo", "demo-password")
        db.session.commit()
    demo = {"username": "demo", "password": "demo-password"}
    response = create_app(production).test_client().post("/api/auth/login", json=demo, base_url=HTTPS)
    assert response.status_code == 401
