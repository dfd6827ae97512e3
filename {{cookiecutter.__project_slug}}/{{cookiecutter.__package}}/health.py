"""Blueprint `health`: for load balancers. Other origins cannot read it, because it has no CORS policy."""

from flask import Blueprint, abort
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .extensions import db
from .models import User

health = Blueprint("health", __name__, url_prefix="/health")


@health.get("/live")
def get_liveness() -> dict[str, str]:
    return {"status": "ok"}


@health.get("/ready")
def get_readiness() -> dict[str, str]:
    try:
        db.session.execute(select(User.id).limit(1))  # fails without the tables too
    except SQLAlchemyError:
        abort(503, "The database failed, or a table is missing. Check it and run `flask db upgrade`.")
    return {"status": "ok"}
