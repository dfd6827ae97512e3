"""Pages of a list: `page` and `page_size` in the query, totals in the header X-Pagination."""

import json
from typing import Any

import marshmallow as ma
from marshmallow.validate import Range
from sqlalchemy import Select, func

from .extensions import db

PAGE_HEADERS = {
    "X-Pagination": {
        "description": "JSON: total, total_pages, first_page, last_page, page, previous_page, next_page",
        "schema": {"type": "string"},
    }
}


class PageSchema(ma.Schema):
    page = ma.fields.Integer(load_default=1, validate=Range(1, 1_000_000))
    page_size = ma.fields.Integer(load_default=20, validate=Range(1, 100))


def paged(query: Select[Any], page: int, page_size: int) -> tuple[list[Any], dict[str, str]]:
    """Return one page of a query, and the header that tells its place.

    Args:
        query: a select of one entity, ordered.
        page: from 1.
        page_size: rows on a page.
    """
    rows = db.session.scalars(query.limit(page_size).offset((page - 1) * page_size)).all()
    count = query.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    total = db.session.scalar(count) or 0
    last = -(-total // page_size)
    place = {"total": total, "total_pages": last}
    if last:
        place |= {"first_page": 1, "last_page": last}
    if page <= last:
        place["page"] = page
    if 1 < page <= last:
        place["previous_page"] = page - 1
    if page < last:
        place["next_page"] = page + 1
    return list(rows), {"X-Pagination": json.dumps(place)}
