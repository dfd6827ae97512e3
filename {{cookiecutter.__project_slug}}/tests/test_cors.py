"""CORS: each blueprint applies its declared policy. The template tests the rules of `crossorigin` itself."""

import pytest
from crossorigin import get_policies
from crossorigin.doctor.cli import commands

from {{ cookiecutter.__package }} import create_app


@pytest.fixture
def policies(app):
    return get_policies(app).built


def get_example(origin):
    """Return an origin that a pattern allows, such as https://a.example.com for https://*.example.com."""
    return origin.replace(":*", ":5173").replace("*", "a")


def send_preflight(client, path, origin, method="GET"):
    """Send a preflight, as a browser does before some requests."""
    return client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": method})


def test_a_preflight_from_an_origin_of_the_policy_is_allowed(client, policies):
    for policy in policies:
        for origin in map(get_example, policy.origins):
            response = send_preflight(client, policy.prefix, origin)
            assert response.status_code == 204
            assert response.headers["Access-Control-Allow-Origin"] == policy.allow_origin(origin)
            assert response.headers["Access-Control-Allow-Methods"] == ", ".join(policy.methods)


def test_a_preflight_from_another_origin_is_refused(client, policies):
    for policy in policies:
        if not policy.any_origin:
            response = send_preflight(client, policy.prefix, "https://evil.example")
            assert response.status_code == 403
            assert "Access-Control-Allow-Origin" not in response.headers


def test_an_error_can_be_read_by_an_origin_of_the_policy(client, policies):
    for policy in policies:
        for origin in map(get_example, policy.origins):
            response = client.get(f"{policy.prefix}/no/such/path", headers={"Origin": origin})
            assert response.status_code == 404
            assert response.headers["Access-Control-Allow-Origin"] == policy.allow_origin(origin)


def test_an_error_cannot_be_read_by_another_origin(client, policies):
    for policy in policies:
        if not policy.any_origin:
            response = client.get(f"{policy.prefix}/no/such/path", headers={"Origin": "https://evil.example"})
            assert response.status_code == 404
            assert "Access-Control-Allow-Origin" not in response.headers


def test_csrf_protection_allows_only_origins_of_a_policy_with_credentials(ada, policies):
    for policy in policies:
        for origin in map(get_example, policy.origins):
            response = ada.post(f"{policy.prefix}/no/such/path", headers={"Origin": origin})
            assert response.status_code == (404 if policy.credentials else 403)


def test_a_path_without_a_policy_has_no_cors_header(client):
    response = client.get("/health/live", headers={"Origin": "http://localhost:5173"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_flask_cors_check_finds_nothing(production):
    # in production, because API_URL is not set there: the site of the cookie is unknown
    result = create_app(production).test_cli_runner().invoke(commands, ["check"])
    assert result.exit_code == 0, result.output
