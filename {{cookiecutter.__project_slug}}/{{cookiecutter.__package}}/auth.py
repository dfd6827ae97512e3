"""Blueprint `auth`: sign in and out with a cookie, from the origins of the front end."""

import marshmallow as ma
from crossorigin import FromConfig, cors
from flask import current_app, g, request
from marshmallow.validate import Length

from .api import NO_NUL, Blueprint
from .extensions import limiter
from .models import User
from .sessions import require_sign_in, sign_in, sign_out, unauthorized, verify_password

auth = Blueprint("auth", __name__, url_prefix="/api/auth", description="Sign in and out")
cors(auth, origins=FromConfig("FRONTEND_ORIGINS"), request_headers=["Content-Type"], credentials=True)


class CredentialsSchema(ma.Schema):
    username = ma.fields.String(required=True, validate=[Length(1, 64), NO_NUL])
    password = ma.fields.String(required=True, validate=Length(1, 1024), load_only=True)


class UserSchema(ma.Schema):
    id = ma.fields.Integer(required=True)
    username = ma.fields.String(required=True)


def account() -> str:
    """Return the name that somebody tries to sign in with, for the limit of each account."""
    body = request.get_json(silent=True)
    return f"account {body.get('username')}" if isinstance(body, dict) else "account ?"


@auth.route("/login", methods=["POST"])
@auth.arguments(CredentialsSchema())
@auth.response(200, UserSchema)
@limiter.limit(lambda: current_app.config["LOGIN_LIMIT"])
@limiter.limit(lambda: current_app.config["LOGIN_ACCOUNT_LIMIT"], key_func=account)
def login(credentials: dict[str, str]) -> User:
    """Sign in with a name and a password"""
    user = verify_password(**credentials)
    if user is None:
        raise unauthorized("The name or the password is wrong.")
    sign_in(user)
    return user


@auth.route("/logout", methods=["POST"])
@auth.response(204)
def logout() -> None:
    """Sign out, on the server as well"""
    sign_out()


@auth.route("/me")
@auth.response(200, UserSchema)
def me() -> User:
    """Tell who is signed in"""
    require_sign_in()
    user: User = g.user
    return user
