"""Blueprints `demo_cors` and `demo_no_cors`: the same views with a CORS policy and without one."""

import pytest

ORIGIN = {"Origin": "https://any.example"}
ASSETS = {"cors.png": "image/png", "cors.ttf": "font/ttf"}


def test_every_origin_can_read_hello_with_cors(client):
    response = client.get("/api/demo/cors/hello", headers=ORIGIN)
    assert response.json == {"message": "Hello, World!"}
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_no_other_origin_can_read_hello_without_cors(client):
    response = client.get("/api/demo/no-cors/hello", headers=ORIGIN)
    assert response.json == {"message": "Hello, World!"}
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.parametrize("blueprint", ["cors", "no-cors"])
def test_every_origin_can_show_a_file(client, blueprint, name):
    response = client.get(f"/api/demo/{blueprint}/assets/{name}", headers=ORIGIN, buffered=True)
    assert (response.status_code, response.mimetype) == (200, ASSETS[name])
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_other_files_are_not_found(client):
    for name in ("none.png", "../config.py", "..%2fconfig.py"):
        assert client.get(f"/api/demo/cors/assets/{name}").status_code == 404
