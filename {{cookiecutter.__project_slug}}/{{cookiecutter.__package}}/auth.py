"""Blueprint `auth`: sign-up, sign-in and sign-out with a session cookie, for the front end."""

import marshmallow as ma
from crossorigin import FromConfig, cors
from flask import abort, current_app, g

from . import csrf, sessions, users
from .api import NO_NUL, Blueprint
from .extensions import db, limiter
from .models import User, normalize_name

auth = Blueprint("auth", __name__, url_prefix="/api/auth", description="Sign in and out")
cors(
    auth,
    origins=FromConfig("FRONTEND_ORIGINS"),
    request_headers=["Authorization", "Content-Type"],
    credentials=True,
)

address_limit = limiter.limit(lambda: current_app.config["LOGIN_LIMIT"])
account_limit = limiter.limit(lambda: current_app.config["LOGIN_ACCOUNT_LIMIT"], key_func=lambda: g.account)


class CredentialsSchema(ma.Schema):
    username = ma.fields.String(required=True, validate=[ma.validate.Length(1, 64), NO_NUL])
    password = ma.fields.String(required=True, validate=[ma.validate.Length(1, 1024), NO_NUL])


class UserSchema(ma.Schema):
    id = ma.fields.Integer(required=True)
    username = ma.fields.String(required=True)


@auth.route("/register", methods=["POST"])
@address_limit
@auth.arguments(CredentialsSchema(unknown=ma.EXCLUDE))  # drops `role`: users cannot choose theirs
@auth.response(201, UserSchema)
def register(credentials: dict[str, str]) -> User:
    """Create an account and sign in"""
    csrf.check_csrf()
    if not current_app.config["REGISTRATION"]:
        abort(403, "Sign-up is closed (REGISTRATION=0). Ask the administrator for an account.")
    user = users.create_user(**credentials)
    sessions.sign_in(user)
    return user


@auth.route("/login", methods=["POST"])
@address_limit  # first: it counts before the body is read
@auth.arguments(CredentialsSchema())
@auth.response(200, UserSchema)
def login(credentials: dict[str, str]) -> User:
    """Sign in with a username and a password"""
    csrf.check_csrf()  # prevents login CSRF, before the password is checked
    g.account = f"account {normalize_name(credentials['username'])}"
    with account_limit:
        user = users.verify_password(**credentials)
    if user is None:
        abort(401, "The username or the password is wrong. Check both and try again.")
    sessions.sign_in(user)
    return user


@auth.route("/logout", methods=["POST"])
@auth.response(204)
def logout() -> None:
    """Sign out and delete the session on the server"""
    sessions.sign_out()
    db.session.commit()


@auth.route("/me")
@auth.response(200, UserSchema)
def get_current_user() -> User:
    """Get the signed-in user"""
    sessions.require_sign_in()
    user: User = g.user
    return user
