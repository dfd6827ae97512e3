"""CSRF protection: a cookie counts only where the policy of the response trusts the origin with credentials."""

import my_lab_api
import pytest
from conftest import FRONTEND_ORIGINS, PAGE, PASSWORD, settings, sign_in
from crossorigin import cors, init_cors
from flask import Blueprint, g
from my_lab_api import create_app
from my_lab_api.sessions import require_sign_in

OWN, SIBLING = "http://localhost", "http://localhost:3000"
ORIGINS = (PAGE, SIBLING, "https://evil.example", "null", OWN, None)
LISTED = tuple(origin for origin in ORIGINS if origin == FRONTEND_ORIGINS)
METHODS = ("POST", "PUT", "PATCH", "DELETE")


def get_trusted_origins(listed):
    """Return the origins that may change data, for each value of Sec-Fetch-Site."""
    return {
        **dict.fromkeys(("same-origin", "none"), ORIGINS),
        **dict.fromkeys(("same-site", "cross-site", "unheard-of"), listed),
        None: (*listed, OWN, None),
    }


POLICIES = {  # the policy of a guarded blueprint, and the origins that it trusts with the cookie
    "of the front end": ({"origins": [PAGE], "credentials": True}, (PAGE,)),
    "without credentials": ({"origins": [PAGE]}, ()),
    "of every origin": ({"origins": ["*"]}, ()),
    "no origin": ({"origins": ["none"]}, ()),
    "no policy": (None, ()),
}


def build_guarded_blueprint(policy):
    blueprint = Blueprint("guarded", __name__, url_prefix="/guarded")
    blueprint.before_request(require_sign_in)
    blueprint.add_url_rule("", "change", lambda: g.user.username, methods=["GET", *METHODS])
    if policy is not None:
        cors(blueprint, **policy)
    return blueprint


def build_headers(site, origin):
    return {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value}


@pytest.fixture
def create_app_with(database, monkeypatch):
    """Creates an application with an additional blueprint."""

    def make(blueprint):
        def register(app, **options):
            app.register_blueprint(blueprint)
            init_cors(app, **options)

        monkeypatch.setattr(my_lab_api, "init_cors", register)
        return create_app(settings(database))

    return make


@pytest.mark.parametrize("policy", POLICIES)
def test_with_the_cookie_only_a_trusted_origin_can_change_data(create_app_with, policy):
    options, listed = POLICIES[policy]
    ada = sign_in(create_app_with(build_guarded_blueprint(options)), "ada")
    for site, allowed in get_trusted_origins(listed).items():
        for origin in ORIGINS:
            for method in METHODS:
                answer = ada.open("/guarded", method=method, headers=build_headers(site, origin))
                assert answer.status_code == (200 if origin in allowed else 403), (site, origin, method)
            assert ada.get("/guarded", headers=build_headers(site, origin)).text == "ada"  # reading changes nothing


def test_the_refusal_names_the_origin_and_the_fix(create_app_with):
    ada = sign_in(create_app_with(build_guarded_blueprint({"origins": [PAGE]})), "ada")
    said = ada.post("/guarded", headers=build_headers("same-site", SIBLING)).json["detail"]
    proxy = ("a proxy has changed Host to localhost", "X-Forwarded-Host", "TRUSTED_PROXIES=1")
    assert [words for words in (SIBLING, "POST", "credentials=True", "cors(", *proxy) if words not in said] == []


def test_a_request_without_the_cookie_is_anonymous(create_app_with):
    client = create_app_with(build_guarded_blueprint(None)).test_client()
    cross_site_headers = build_headers("cross-site", "https://evil.example")
    assert client.post("/guarded", headers=cross_site_headers).status_code == 401
    assert client.post("/api/public/echo", json={"message": "hello"}, headers=cross_site_headers).status_code == 200
    assert client.post("/health/live", headers=cross_site_headers).status_code == 405


def test_the_csrf_check_runs_without_a_view(ada):
    cross_site_headers = build_headers("same-site", SIBLING)
    for path in ("/api/public/echo", "/api/public/no/such", "/health/live", "/no/such"):
        assert ada.post(path, json={}, headers=cross_site_headers).status_code == 403
    assert ada.post("/no/such").status_code in (404, 405)  # with one origin, the front end serves every path


@pytest.mark.parametrize("site", get_trusted_origins(LISTED))
def test_an_untrusted_page_cannot_sign_in_a_user(database, site):
    for origin in ORIGINS:
        client = create_app(settings(database)).test_client()
        credentials = {"username": "ada", "password": PASSWORD}
        answer = client.post("/api/auth/login", json=credentials, headers=build_headers(site, origin))
        assert answer.status_code == (200 if origin in get_trusted_origins(LISTED)[site] else 403), origin
        assert ("Set-Cookie" in answer.headers) is (answer.status_code == 200)


def test_with_an_authorization_header_the_cookie_is_ignored(ada):
    headers = {**build_headers("same-site", SIBLING), "Authorization": "Bearer x"}
    assert ada.post("/api/notes", json={"title": "x"}, headers=headers).status_code == 401
    assert ada.post("/api/auth/logout", headers=headers).status_code == 204
    assert ada.get("/api/auth/me").status_code == 200  # the session is still there


@pytest.mark.parametrize("route", ["login", "register"])
def test_an_authorization_header_does_not_allow_a_cross_site_sign_in(client, route):
    headers = {**build_headers("same-site", SIBLING), "Authorization": "Bearer x"}
    credentials = {"username": "ada", "password": PASSWORD}
    assert client.post(f"/api/auth/{route}", json=credentials, headers=headers).status_code == 403
