"""Notes: what their owner can do, and which requests are refused."""

import json

import pytest


def create_note(client, **fields):
    """Create a note. Return its path and the If-Match header for changes."""
    response = client.post("/api/notes", json={"title": "A note", **fields})
    assert response.status_code == 201
    return f"/api/notes/{response.json['id']}", {"If-Match": response.headers["ETag"]}


def get_titles(response):
    return [note["title"] for note in response.json]


def test_a_note_is_created(ada):
    response = ada.post("/api/notes", json={"title": "Samples", "body": "Room 7"})
    assert response.status_code == 201
    assert response.json["title"] == "Samples"
    assert response.json["body"] == "Room 7"


def test_notes_are_listed_newest_first(ada):
    create_note(ada, title="First")
    create_note(ada, title="Second")
    assert get_titles(ada.get("/api/notes")) == ["Second", "First"]


def test_put_replaces_a_note(ada):
    path, match = create_note(ada, title="Old", body="Old")
    response = ada.put(path, json={"title": "New"}, headers=match)
    assert response.status_code == 200
    assert (response.json["title"], response.json["body"]) == ("New", "")


def test_patch_changes_one_field_of_a_note_and_keeps_the_others(ada):
    path, match = create_note(ada, title="Old", body="Old")
    response = ada.patch(path, json={"title": "New"}, headers=match)
    assert response.status_code == 200
    assert (response.json["title"], response.json["body"]) == ("New", "Old")
    assert response.json["updated_at"] > response.json["created_at"]


def test_a_note_is_deleted(ada):
    path, match = create_note(ada)
    assert ada.delete(path, headers=match).status_code == 204
    assert ada.get(path).status_code == 404


def test_a_missing_note_is_404(ada):
    assert ada.get("/api/notes/12345").status_code == 404
    assert ada.get("/api/notes/99999999999").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_the_note_of_another_user_is_404(ada, grace, method):
    path, match = create_note(ada)
    body = None if method in ("GET", "DELETE") else {"title": "Mine"}
    assert grace.open(path, method=method, json=body, headers=match).status_code == 404
    assert ada.get(path).json["title"] == "A note"


def test_the_notes_of_another_user_are_not_listed(ada, grace):
    create_note(ada)
    assert grace.get("/api/notes").json == []


def test_notes_require_a_sign_in(client):
    assert client.get("/api/notes").status_code == 401
    assert client.post("/api/notes", json={"title": "A note"}).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_requires_the_etag_of_the_note(ada, method):
    path, _ = create_note(ada)
    body = None if method == "DELETE" else {"title": "New"}
    assert ada.open(path, method=method, json=body).status_code == 428
    assert ada.get(path).json["title"] == "A note"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_optimistic_locking_refuses_a_change_of_an_old_version(ada, method):
    path, match = create_note(ada)
    ada.patch(path, json={"title": "Changed meanwhile"}, headers=match)
    body = None if method == "DELETE" else {"title": "New"}
    assert ada.open(path, method=method, json=body, headers=match).status_code == 412
    assert ada.get(path).json["title"] == "Changed meanwhile"


def test_a_note_with_an_unchanged_etag_is_304(ada):
    path, match = create_note(ada)
    response = ada.get(path, headers={"If-None-Match": match["If-Match"]})
    assert (response.status_code, response.data) == (304, b"")


@pytest.mark.parametrize("title", ["", "x" * 5000, None, "a\0b"])
def test_a_title_that_cannot_be_stored_is_refused(ada, title):
    response = ada.post("/api/notes", json={"title": title})
    assert response.status_code == 422
    assert list(response.json["errors"]["json"]) == ["title"]
    assert ada.get("/api/notes").json == []


@pytest.mark.parametrize("name", ["id", "user_id", "no_such_field"])
def test_a_read_only_or_unknown_field_is_refused(ada, name):
    response = ada.post("/api/notes", json={"title": "A note", name: 5})
    assert response.status_code == 422
    assert list(response.json["errors"]["json"]) == [name]


def test_a_list_is_divided_into_pages(ada):
    for number in range(3):
        create_note(ada, title=f"Note {number}")
    first = ada.get("/api/notes?page=1&page_size=2")
    second = ada.get("/api/notes?page=2&page_size=2")
    assert get_titles(first) == ["Note 2", "Note 1"]
    assert get_titles(second) == ["Note 0"]


def test_a_page_of_a_list_has_its_numbers_in_x_pagination(ada):
    for _ in range(3):
        create_note(ada)
    pagination = json.loads(ada.get("/api/notes?page=2&page_size=2").headers["X-Pagination"])
    assert (pagination["total"], pagination["total_pages"]) == (3, 2)
    assert (pagination["page"], pagination["previous_page"]) == (2, 1)
    assert "next_page" not in pagination


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=100000"])
def test_an_invalid_page_number_or_size_is_refused(ada, query):
    response = ada.get(f"/api/notes?{query}")
    assert response.status_code == 422
    assert list(response.json["errors"]["query"]) == [query.partition("=")[0]]


def test_a_list_is_searched_sorted_and_filtered(ada):
    for title in ("beta", "Alpha", "100 %"):
        ada.post("/api/notes", json={"title": title})

    def get_titles(query):
        return [note["title"] for note in ada.get(f"/api/notes?{query}").json]

    assert get_titles("sort=title") == ["100 %", "Alpha", "beta"]
    assert get_titles("search=ALPH") == ["Alpha"]
    assert get_titles("search=%25") == ["100 %"]  # not a wildcard
    assert get_titles("changed_since=2100-01-01T00:00:00Z") == []
    assert ada.get("/api/notes?sort=nothing").status_code == 422
