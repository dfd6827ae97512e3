"""Blueprint `health`: for load balancers. No CORS policy, so no page of another origin can read it."""

from flask import Blueprint, abort
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .extensions import db
from .models import User

health = Blueprint("health", __name__, url_prefix="/health")


@health.get("/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


@health.get("/ready")
def ready() -> dict[str, str]:
    try:
        db.session.execute(select(User.id).limit(1))  # the tables have to be there too
    except SQLAlchemyError:
        abort(503, "The database does not answer.")
    return {"status": "ok"}
