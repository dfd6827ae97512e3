"""The same routes in FastAPI with SQLAlchemy and pydantic, as its documentation shows them.

A dependency provides the database session. The endpoints are `def` functions with blocking queries, and their return
types let pydantic write the JSON. CORS uses CORSMiddleware, and the server is `uvicorn --workers`.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, cast

from argon2.exceptions import VerificationError
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Query, Response
from fastapi.middleware.cors import CORSMiddleware
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from benchmarks.apps.tables import LIFETIME, LoginSession, Note, User, engine, hasher, now

COOKIE = "session"


def create_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["https://app.example.com"],
        allow_credentials=True,
        allow_methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        allow_headers=["Content-Type", "If-Match"],
        expose_headers=["X-Pagination", "ETag"],
        max_age=600,
    )
    app.post("/api/auth/login")(login)
    app.get("/api/notes")(list_notes)
    app.post("/api/notes", status_code=201)(create_note)
    app.get("/api/notes/{note_id}")(get_note)
    return app


def set_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)


class Credentials(BaseModel):
    """The body of a sign-in."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)


class UserOut(BaseModel):
    """A user in a response."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    username: str


class NoteIn(BaseModel):
    """A note in a request."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    body: str = Field(default="", max_length=10_000)


class NoteOut(BaseModel):
    """A note in a response."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str
    body: str
    created_at: Annotated[datetime, AfterValidator(set_utc)]
    updated_at: Annotated[datetime, AfterValidator(set_utc)]


def get_session() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_current_user(database: SessionDep, session: Annotated[str | None, Cookie()] = None) -> User:
    valid = LoginSession.expires_at > now()
    row = database.scalar(select(LoginSession).where(LoginSession.key == session, valid)) if session else None
    if row is None:
        raise HTTPException(401, "Sign in first.")
    return row.user


CurrentUser = Annotated[User, Depends(get_current_user)]


def login(credentials: Credentials, database: SessionDep, response: Response) -> UserOut:
    user = database.scalar(select(User).where(User.username == credentials.username))
    try:
        hasher.verify(user.password_hash if user else "", credentials.password)
    except VerificationError:
        user = None
    if user is None:
        raise HTTPException(401, "The username or the password is wrong. Check both and try again.")
    database.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.expires_at <= now()))
    key = secrets.token_urlsafe(32)
    database.add(LoginSession(key=key, user_id=user.id, expires_at=now() + LIFETIME))
    database.commit()
    age = int(LIFETIME.total_seconds())
    response.set_cookie(COOKIE, key, max_age=age, httponly=True, secure=True, samesite="lax")
    return UserOut.model_validate(user)


def list_notes(
    user: CurrentUser,
    database: SessionDep,
    response: Response,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[NoteOut]:
    total = database.scalar(select(func.count()).select_from(Note).where(Note.user_id == user.id)) or 0
    own_notes = select(Note).where(Note.user_id == user.id).order_by(Note.id.desc())
    rows = database.scalars(own_notes.limit(page_size).offset((page - 1) * page_size)).all()
    last = -(-total // page_size)
    pagination = {"total": total, "total_pages": last, "page": page} | ({"next_page": page + 1} if page < last else {})
    response.headers["X-Pagination"] = json.dumps(pagination)
    return cast("list[NoteOut]", rows)  # FastAPI converts the rows


def create_note(fields: NoteIn, user: CurrentUser, database: SessionDep, response: Response) -> NoteOut:
    note = Note(user_id=user.id, **fields.model_dump())
    database.add(note)
    database.commit()
    response.headers["ETag"] = build_etag(note)
    return cast("NoteOut", note)


def get_note(
    note_id: int,
    user: CurrentUser,
    database: SessionDep,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> NoteOut:
    note = database.get(Note, note_id)
    if note is None or note.user_id != user.id:
        raise HTTPException(404, f"You have no note {note_id}. GET /api/notes lists your notes.")
    response.headers["ETag"] = build_etag(note)
    if if_none_match == build_etag(note):
        return cast("NoteOut", Response(status_code=304, headers={"ETag": build_etag(note)}))
    return cast("NoteOut", note)


def build_etag(note: Note) -> str:
    return f'"{note.id}-{note.version}"'


app = create_app()
