"""The same routes in plain Flask with SQLAlchemy, marshmallow and flask-cors, as their documentation shows them.

It uses a scoped session for each request, schemas for input and output, `jsonify`, a signed cookie, and flask-cors on
the application.
"""

import json
import secrets
from functools import wraps
from typing import Any

from argon2.exceptions import VerificationError
from flask import Blueprint, Flask, abort, g, jsonify, request, session
from flask_cors import CORS
from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, Range
from sqlalchemy import delete, func, select
from sqlalchemy.orm import scoped_session, sessionmaker

from benchmarks.apps.tables import LIFETIME, LoginSession, Note, User, engine, hasher, now

database = scoped_session(sessionmaker(engine, expire_on_commit=False))


class CredentialsSchema(Schema):
    """The body of a sign-in."""

    username = fields.String(required=True, validate=Length(1, 64))
    password = fields.String(required=True, validate=Length(1, 1024))


class UserSchema(Schema):
    """A user in a response."""

    id = fields.Integer()
    username = fields.String()


class NoteSchema(Schema):
    """A note in a request or a response."""

    id = fields.Integer(dump_only=True)
    title = fields.String(required=True, validate=Length(1, 200))
    body = fields.String(load_default="", validate=Length(0, 10_000))
    created_at = fields.NaiveDateTime(dump_only=True, format="%Y-%m-%dT%H:%M:%S.%f+00:00")
    updated_at = fields.NaiveDateTime(dump_only=True, format="%Y-%m-%dT%H:%M:%S.%f+00:00")


class PageSchema(Schema):
    """The page of a list."""

    page = fields.Integer(load_default=1, validate=Range(1, 1_000_000))
    page_size = fields.Integer(load_default=20, validate=Range(1, 100))


credentials_schema, user_schema, page_schema = CredentialsSchema(), UserSchema(), PageSchema()
note_schema, notes_schema = NoteSchema(), NoteSchema(many=True)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="only for this comparison", PERMANENT_SESSION_LIFETIME=LIFETIME)
    app.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_REFRESH_EACH_REQUEST=False)
    app.register_error_handler(ValidationError, lambda error: (jsonify(errors=error.messages), 422))
    app.teardown_appcontext(lambda _error: database.remove())
    auth = Blueprint("auth", __name__, url_prefix="/api/auth")
    auth.add_url_rule("/login", view_func=login, methods=["POST"])
    notes = Blueprint("notes", __name__, url_prefix="/api/notes")
    notes.add_url_rule("", view_func=list_notes)
    notes.add_url_rule("", view_func=create_note, methods=["POST"])
    notes.add_url_rule("/<int:note_id>", view_func=get_note)
    CORS(
        app,
        origins=["https://app.example.com"],
        supports_credentials=True,
        methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        allow_headers=["Content-Type", "If-Match"],
        expose_headers=["X-Pagination", "ETag"],
        max_age=600,
    )
    app.register_blueprint(auth)
    app.register_blueprint(notes)
    return app


def login_required(view: Any) -> Any:

    @wraps(view)
    def guarded(**arguments: Any) -> Any:
        key, valid = session.get("key"), LoginSession.expires_at > now()
        row = database.scalar(select(LoginSession).where(LoginSession.key == key, valid)) if key else None
        if row is None:
            return abort(401)
        g.user = row.user
        return view(**arguments)

    return guarded


def login() -> Any:
    sent = credentials_schema.load(request.get_json())
    user = database.scalar(select(User).where(User.username == sent["username"]))
    try:
        hasher.verify(user.password_hash if user else "", sent["password"])
    except VerificationError:
        user = None
    if user is None:
        return abort(401)
    database.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.expires_at <= now()))
    session.permanent = True
    session["key"] = secrets.token_urlsafe(32)
    database.add(LoginSession(key=session["key"], user_id=user.id, expires_at=now() + LIFETIME))
    database.commit()
    return jsonify(user_schema.dump(user))


@login_required
def list_notes() -> Any:
    page, size = page_schema.load(request.args.to_dict()).values()
    total = database.scalar(select(func.count()).select_from(Note).where(Note.user_id == g.user.id)) or 0
    own_notes = select(Note).where(Note.user_id == g.user.id).order_by(Note.id.desc())
    rows = database.scalars(own_notes.limit(size).offset((page - 1) * size)).all()
    last = -(-total // size)
    pagination = {"total": total, "total_pages": last, "page": page} | ({"next_page": page + 1} if page < last else {})
    return jsonify(notes_schema.dump(rows)), {"X-Pagination": json.dumps(pagination)}


@login_required
def create_note() -> Any:
    note = Note(user_id=g.user.id, **note_schema.load(request.get_json()))
    database.add(note)
    database.commit()
    response = jsonify(note_schema.dump(note))
    response.set_etag(build_etag(note))
    return response, 201


@login_required
def get_note(note_id: int) -> Any:
    note = database.get(Note, note_id)
    if note is None or note.user_id != g.user.id:
        return abort(404)
    response = jsonify(note_schema.dump(note))
    response.set_etag(build_etag(note))
    return response.make_conditional(request)


def build_etag(note: Note) -> str:
    return f"{note.id}-{note.version}"
