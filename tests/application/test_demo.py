"""The demo: the same views with a policy, and without CORS for comparison."""

import pytest
from conftest import PAGE
from crossorigin import find_policy

ASSETS = {"cors.png": "image/png", "cors.ttf": "font/ttf"}


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.parametrize("headers", [{}, {"Origin": PAGE}], ids=["no origin", "an origin"])
@pytest.mark.parametrize("blueprint", ["cors", "no-cors"])
def test_every_page_may_embed_assets_but_only_a_policy_allows_reading_them(client, blueprint, headers, name):
    path = f"/api/demo/{blueprint}/assets/{name}"
    with client.application.test_request_context(path):
        policy = find_policy()
    assert (policy is None) == (blueprint == "no-cors")
    first = client.get(path, headers=headers, buffered=True)
    assert (first.status_code, first.mimetype) == (200, ASSETS[name])
    known = {"If-None-Match": first.headers["ETag"], **headers}
    again = client.get(path, headers=known, buffered=True)
    assert again.status_code == 304
    for answer in (first, again):
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers.get("Access-Control-Allow-Origin") == (policy and policy.allow_origin(PAGE))
        assert "Vary" not in answer.headers  # the same response for every origin: a cache needs one copy


def test_other_paths_are_not_assets(client):
    for name in ("none.png", "../config.py", "..%2fconfig.py", "..%5cconfig.py", "%00", ""):
        assert client.get(f"/api/demo/cors/assets/{name}").status_code == 404, name


def test_without_a_policy_the_response_is_the_same_without_cors_headers(client):
    answer = client.get("/api/demo/no-cors/hello", headers={"Origin": PAGE})
    assert answer.json == client.get("/api/public/hello").json
    assert [name for name, _ in answer.headers if name.startswith("Access-Control-")] == []
