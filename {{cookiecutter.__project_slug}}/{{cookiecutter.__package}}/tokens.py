"""API tokens: machines sign in by `Authorization: Bearer …` (RFC 6750), without a cookie."""

import hashlib
import secrets
from datetime import timedelta

from flask import current_app, request
from sqlalchemy import delete, or_, select, update

from .extensions import db
from .models import ApiToken, User, now

USE_INTERVAL = timedelta(minutes=1)  # the last use is written at most so often, or each read would write


def create_token(user: User, name: str, lifetime: timedelta | None) -> str:
    """Add a token of a user and return it. Only its hash is kept. The caller commits."""
    token = f"{current_app.name}_{secrets.token_urlsafe(32)}"  # the name helps whoever finds one in a file
    expires_at = now() + lifetime if lifetime else None
    db.session.add(ApiToken(user_id=user.id, name=name, token_hash=hash_token(token), expires_at=expires_at))
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


def revoke_token(user: User, name: str) -> bool:
    """Delete a token of a user, and tell whether there was one. The caller commits."""
    found = db.session.scalars(
        delete(ApiToken).where(ApiToken.user_id == user.id, ApiToken.name == name).returning(ApiToken.id)
    )
    return bool(found.all())


def hash_token(token: str) -> str:
    # a fast hash is enough: nobody can guess 256 random bits
    return hashlib.sha256(token.encode()).hexdigest()
