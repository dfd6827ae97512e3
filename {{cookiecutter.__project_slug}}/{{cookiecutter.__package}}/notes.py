"""Blueprint `notes`: notes of the signed-in user. To add your own, follow docs/add-a-blueprint.md."""

from typing import Any

import marshmallow as ma
from crossorigin import FromConfig, cors
from flask import abort, g
from sqlalchemy import bindparam, func, select

from .api import NO_NUL, Blueprint
from .extensions import db
from .models import Note
from .pagination import PAGE_HEADERS, PageSchema, Paginator
from .sessions import require_sign_in

notes = Blueprint("notes", __name__, url_prefix="/api/notes", description="Notes of the signed-in user")
notes.before_request(require_sign_in)  # not for preflights
cors(
    notes,
    origins=FromConfig("FRONTEND_ORIGINS"),
    request_headers=["Authorization", "Content-Type", "If-Match"],
    expose_headers=["X-Pagination", "ETag"],
    credentials=True,
    max_age=600,
)

NOTE_PATH = "/<int(max=2147483647):note_id>"  # the largest INTEGER of PostgreSQL
# Statements are built once, at import. Building them at each request makes a list 40 % slower.
own_notes = select(Note).where(Note.user_id == bindparam("user_id"))
one_note = own_notes.where(Note.id == bindparam("note_id"))
newest_first = Paginator(own_notes.order_by(Note.id.desc()))
SORT_ORDERS: dict[str, list[Any]] = {
    "-id": [Note.id.desc()],
    "title": [func.lower(Note.title), Note.id],
    "-updated_at": [Note.updated_at.desc(), Note.id],
}


class NoteSchema(ma.Schema):
    id = ma.fields.Integer(dump_only=True, required=True)  # required: always in the response
    title = ma.fields.String(required=True, validate=[ma.validate.Length(1, 200), NO_NUL])
    body = ma.fields.String(load_default="", validate=[ma.validate.Length(0, 10_000), NO_NUL])
    created_at = ma.fields.AwareDateTime(dump_only=True, required=True)
    updated_at = ma.fields.AwareDateTime(dump_only=True, required=True)


class NoteChangeSchema(NoteSchema):
    """The fields of PATCH. `partial=True` makes them optional. The class gives them a name in OpenAPI."""


class NoteQuerySchema(PageSchema):
    search = ma.fields.String(validate=[ma.validate.Length(1, 100), NO_NUL])
    changed_since = ma.fields.AwareDateTime()
    sort = ma.fields.String(validate=ma.validate.OneOf(SORT_ORDERS))


@notes.route("")
@notes.arguments(NoteQuerySchema(), location="query")  # an instance: a class is instantiated at each request
@notes.response(200, NoteSchema(many=True), headers=PAGE_HEADERS)
def list_notes(query: dict[str, Any]) -> Any:
    """List notes, newest first, with search, filter and sort"""
    page = {name: query.pop(name) for name in ("page", "page_size")}
    if not query:  # no search, filter or sort
        return newest_first.get_page(**page, user_id=g.user.id)
    selected = own_notes.order_by(*SORT_ORDERS[query.get("sort", "-id")])
    if search := query.get("search"):
        selected = selected.where(Note.title.icontains(search, autoescape=True))
    if changed_since := query.get("changed_since"):
        selected = selected.where(Note.updated_at >= changed_since)
    return Paginator(selected).get_page(**page, user_id=g.user.id)


@notes.route("", methods=["POST"])
@notes.etag
@notes.arguments(NoteSchema())
@notes.response(201, NoteSchema)
def create_note(fields: dict[str, str]) -> Note:
    """Create a note"""
    note = Note(user_id=g.user.id, **fields)
    db.session.add(note)
    return commit(note)


@notes.route(NOTE_PATH)
@notes.etag
@notes.response(200, NoteSchema)
def get_note(note_id: int) -> Note:
    """Read a note"""
    note = get_own_note(note_id)
    notes.set_etag(etag_data(note))
    return note


@notes.route(NOTE_PATH, methods=["PUT"])
@notes.etag  # requires If-Match with the ETag of the last response, or answers 428
@notes.arguments(NoteSchema())
@notes.response(200, NoteSchema)
def replace_note(fields: dict[str, str], note_id: int) -> Note:
    """Replace a note"""
    return update_fields(note_id, fields)


@notes.route(NOTE_PATH, methods=["PATCH"])
@notes.etag
@notes.arguments(NoteChangeSchema(partial=True))
@notes.response(200, NoteSchema)
def update_note(fields: dict[str, str], note_id: int) -> Note:
    """Change some fields of a note"""
    return update_fields(note_id, fields)


@notes.route(NOTE_PATH, methods=["DELETE"])
@notes.etag
@notes.response(204)
def delete_note(note_id: int) -> None:
    """Delete a note"""
    note = get_own_note(note_id)
    notes.check_etag(etag_data(note))
    db.session.delete(note)
    db.session.commit()


def get_own_note(note_id: int) -> Note:
    note = db.session.scalar(one_note, {"note_id": note_id, "user_id": g.user.id})
    if note is None:  # also for another user's note, so that ids reveal nothing
        abort(404, f"You have no note {note_id}. GET /api/notes lists your notes.")
    return note


def update_fields(note_id: int, fields: dict[str, str]) -> Note:
    note = get_own_note(note_id)
    notes.check_etag(etag_data(note))
    for name, value in fields.items():
        setattr(note, name, value)
    return commit(note)


def commit(note: Note) -> Note:
    db.session.commit()
    notes.set_etag(etag_data(note))
    return note


def etag_data(note: Note) -> list[object]:
    # created_at, because SQLite may give the id of a deleted note to a new one
    return [note.id, note.version, note.created_at.isoformat()]
