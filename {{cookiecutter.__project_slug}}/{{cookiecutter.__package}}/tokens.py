"""API tokens: machines sign in by `Authorization: Bearer …` (RFC 6750), without a cookie."""

import hashlib
import secrets
from datetime import timedelta

import click
from flask import current_app, request
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from .extensions import db
from .models import ApiToken, User, now

USE_INTERVAL = timedelta(minutes=1)  # the last use is written at most so often, or each read would write


class TokenError(click.ClickException):
    """The name of a token cannot be used. The message has the fix."""


def create_token(user: User, name: str, lifetime: timedelta | None = None) -> str:
    """Add a token of a user and return it. Only its hash is kept. The caller commits.

    Raises:
        TokenError: if the name cannot be used.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise TokenError(f"the name {name!r} is not 1 to 64 printable characters; choose another name.")
    token = f"{current_app.name}_{secrets.token_urlsafe(32)}"  # whoever finds it in a file knows what it is
    expires_at = now() + lifetime if lifetime else None
    db.session.add(ApiToken(user_id=user.id, name=name, token_hash=hash_token(token), expires_at=expires_at))
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        raise TokenError(f"there is a token {name!r} already; choose another name, or revoke it.") from None
    return token


def find_token_user() -> User | None:
    """Return the user whose token the request carries, and note its use."""
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        return None
    valid = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now())
    token = db.session.scalar(
        select(ApiToken).where(ApiToken.token_hash == hash_token(authorization.token), valid)
    )
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now() - USE_INTERVAL:
        db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now()))
        db.session.commit()
    return db.session.get(User, token.user_id)


def list_tokens(user: User) -> list[ApiToken]:
    """Return the tokens of a user, the oldest first."""
    return list(db.session.scalars(select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id)))


def revoke_token(user: User, name: str) -> None:
    """Delete a token of a user. The caller commits.

    Raises:
        TokenError: if there is no such token.
    """
    revoked = delete(ApiToken).where(ApiToken.user_id == user.id, ApiToken.name == name)
    if not db.session.scalars(revoked.returning(ApiToken.id)).all():
        raise TokenError(f"{user.username} has no token {name!r}; see: flask token list {user.username}")


def hash_token(token: str) -> str:
    # a fast hash is enough: nobody can guess 256 random bits
    return hashlib.sha256(token.encode()).hexdigest()
