"""Notes: what the owner can do, and what is refused."""

import json

import pytest
from conftest import sign_in
from my_lab_api.extensions import db
from my_lab_api.models import Note, User
from my_lab_api.pagination import Paginator
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

LONG = {"title": "字" * 200, "body": "x\n" * 5000}
CHANGES = [("PUT", {"title": "Mine"}), ("PATCH", {"body": "Mine"}), ("DELETE", None)]


def create_note(client, **fields):
    """Create a note and return its path and the header that a change needs."""
    answer = client.post("/api/notes", json={"title": "A note", **fields})
    assert answer.status_code == 201
    return f"/api/notes/{answer.json['id']}", {"If-Match": answer.headers["ETag"]}


def test_a_note_is_created_read_changed_replaced_deleted_and_then_not_found(ada):
    path, match = create_note(ada, **LONG)
    made = ada.get(path).json
    assert made == {"id": 1, **LONG, "created_at": made["created_at"], "updated_at": made["updated_at"]}
    changed = ada.patch(path, json={"title": "Changed"}, headers=match)
    assert changed.json == made | {"title": "Changed", "updated_at": changed.json["updated_at"]}
    assert changed.json["updated_at"] > made["updated_at"]
    replaced = ada.put(path, json={"title": "New"}, headers={"If-Match": changed.headers["ETag"]})
    assert (replaced.json["title"], replaced.json["body"]) == ("New", "")
    assert ada.get("/api/notes").json == [ada.get(path).json] == [replaced.json]
    assert ada.delete(path, headers={"If-Match": replaced.headers["ETag"]}).status_code == 204
    for number in (1, 0, -1, 2**31, 10**30, "9" * 5000, "x"):
        assert ada.get(f"/api/notes/{number}").status_code == 404


@pytest.mark.parametrize(("method", "body"), [("GET", None), *CHANGES])
def test_the_note_of_another_user_looks_like_a_missing_one(app, client, ada, method, body):
    path, match = create_note(ada)
    grace = sign_in(app, "grace")
    theirs, none = (grace.open(p, method=method, json=body, headers=match) for p in (path, "/api/notes/7"))
    assert theirs.status_code == none.status_code == 404
    assert theirs.text.replace("/1", "/7").replace("note 1", "note 7") == none.text
    assert (grace.get("/api/notes").json, ada.get(path).json["title"]) == ([], "A note")
    assert client.open(path, method=method, json=body, headers=match).status_code == 401


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_a_change_needs_the_current_etag_until_the_commit(app, ada, method, body):
    path, match = create_note(ada)
    assert ada.open(path, method=method, json=body).status_code == 428
    theirs = sign_in(app, "ada").put(path, json={"title": "First"}, headers=match)  # holds the same ETag
    assert (theirs.status_code, theirs.json["title"]) == (200, "First")
    assert ada.open(path, method=method, json=body, headers=match).status_code == 412
    assert ada.get(path).json["title"] == "First"

    def overtake(*_):
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE note SET title = 'Second', version = version + 1"))

    event.listen(Session, "before_flush", overtake, once=True)
    answer = ada.open(path, method=method, json=body, headers={"If-Match": theirs.headers["ETag"]})
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert ada.get(path).json["title"] == "Second"


def test_an_unchanged_note_is_304_with_its_etag(ada):
    path, match = create_note(ada)
    answer = ada.get(path, headers={"If-None-Match": match["If-Match"]})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers.get("ETag") == match["If-Match"]  # RFC 9110, section 15.4.5


def test_a_new_note_never_has_the_etag_of_a_deleted_one(ada):
    path, match = create_note(ada)
    ada.delete(path, headers=match)
    assert create_note(ada)[1] != match  # SQLite reuses the id of the last row


OF_5 = {"total": 5, "total_pages": 3, "first_page": 1, "last_page": 3}
PAGES = {
    "first": (5, 1, [5, 4], OF_5 | {"page": 1, "next_page": 2}),
    "middle": (5, 2, [3, 2], OF_5 | {"page": 2, "previous_page": 1, "next_page": 3}),
    "last": (5, 3, [1], OF_5 | {"page": 3, "previous_page": 2}),
    "beyond": (5, 4, [], OF_5),
    "empty": (0, 1, [], {"total": 0, "total_pages": 0}),
    "counted": (1000, 501, [], {"total": 1000, "total_pages": 500, "first_page": 1, "last_page": 500}),
    "long": (1001, 2, [999, 998], {"first_page": 1, "page": 2, "previous_page": 1, "next_page": 3}),
    "long, last": (1001, 501, [1], {"first_page": 1, "page": 501, "previous_page": 500}),
    "long, beyond": (1001, 502, [], {"first_page": 1}),
}


@pytest.mark.parametrize(("total", "page", "numbers", "place"), PAGES.values(), ids=PAGES)
def test_a_page_of_a_list_has_its_position(app, ada, total, page, numbers, place):
    with app.app_context():
        if rows := [{"user_id": 1, "title": "Title", "version": 1}] * total:
            db.session.execute(insert(Note), rows)
        db.session.commit()
    answer = ada.get(f"/api/notes?page={page}&page_size=2")
    assert [row["id"] for row in answer.json] == numbers
    assert json.loads(answer.headers["X-Pagination"]) == place


WRONG = {
    ("query", "page_size"): [0, 101, 10**9],
    ("query", "page"): [0, 10**30, "x"],
    ("json", "title"): ["", "x" * 201, None, ["x"], 1, "a\0b"],
    ("json", "body"): ["x" * 10_001, "line\n\0", None],
    **{("json", name): [5] for name in ("id", "user_id", "created_at", "other")},
}


@pytest.mark.parametrize(("place", "name"), WRONG)
def test_validation_errors_name_the_location_and_the_field(ada, place, name):
    for value in WRONG[place, name]:
        sent = {"json": {"title": "x", name: value}} if place == "json" else {"query_string": {name: value}}
        answer = ada.open("/api/notes", method="POST" if place == "json" else "GET", **sent)
        assert answer.status_code == 422, value
        assert list(answer.json["errors"][place]) == [name]
    assert ada.get("/api/notes").json == []


def test_a_list_of_a_whole_table_counts_its_rows(app):
    with app.test_request_context():
        users, header = Paginator(select(User).order_by(User.id)).get_page(1, 20)
        assert json.loads(header["X-Pagination"])["total"] == len(users) == 2
