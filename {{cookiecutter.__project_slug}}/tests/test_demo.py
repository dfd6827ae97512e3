"""The demonstration: the same views with a CORS policy, and without one."""

import pytest

ORIGIN = {"Origin": "https://any.example"}
ASSETS = {"cors.png": "image/png", "cors.ttf": "font/ttf"}


def test_every_page_may_read_hello_with_cors(client):
    answer = client.get("/api/demo/cors/hello", headers=ORIGIN)
    assert answer.json == {"message": "Hello, World!"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_no_other_page_may_read_hello_without_cors(client):
    answer = client.get("/api/demo/no-cors/hello", headers=ORIGIN)
    assert answer.json == {"message": "Hello, World!"}
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.parametrize("blueprint", ["cors", "no-cors"])
def test_every_page_may_show_a_file(client, blueprint, name):
    answer = client.get(f"/api/demo/{blueprint}/assets/{name}", headers=ORIGIN, buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, ASSETS[name])
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_other_files_are_not_found(client):
    for name in ("none.png", "../config.py", "..%2fconfig.py"):
        assert client.get(f"/api/demo/cors/assets/{name}").status_code == 404
