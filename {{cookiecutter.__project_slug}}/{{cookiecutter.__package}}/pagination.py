"""Pages of a list: `page` and `page_size` in the query, the place of the page in the header X-Pagination."""

import json
from typing import Any

import marshmallow as ma
from marshmallow.validate import Range
from sqlalchemy import Select, bindparam, func, literal_column, select

from .extensions import db

COUNTED = 1000  # rows: to count these takes SQLite 50 us, and to count a million some 30 ms
PAGE_HEADERS = {
    "X-Pagination": {
        "description": (
            "JSON: total, total_pages, first_page, last_page, page, previous_page, next_page;"
            f" without total, total_pages and last_page where a list has more than {COUNTED} rows"
        ),
        "schema": {"type": "string"},
    }
}


class PageSchema(ma.Schema):
    page = ma.fields.Integer(load_default=1, validate=Range(1, 1_000_000))
    page_size = ma.fields.Integer(load_default=20, validate=Range(1, 100))


class Pages:
    """The pages of a query, whose statements are built once: that takes longer than to run them.

    Args:
        query: a select of one entity, ordered, with bindparam(…) for what a request brings.
    """

    def __init__(self, query: Select[Any]) -> None:
        first: Select[Any] = query.with_only_columns(literal_column("1")).order_by(None).limit(COUNTED + 1)
        self.count = select(func.count()).select_from(first.subquery())
        counted = query.add_columns(self.count.scalar_subquery())
        self.rows = counted.limit(bindparam("limit")).offset(bindparam("offset"))

    def read(self, page: int, page_size: int, **values: object) -> tuple[list[Any], dict[str, str]]:
        """Return one page, and the header that tells its place.

        Args:
            page: from 1.
            page_size: rows on a page.
            values: of the query's bindparams.
        """
        cut = {"limit": page_size + 1, "offset": (page - 1) * page_size}  # one more tells of a next page
        found = db.session.execute(self.rows, values | cut).all()
        total = found[0][1] if found else db.session.scalar(self.count, values) or 0
        last = -(-total // page_size) if total <= COUNTED else None
        place = {
            "total": total if total <= COUNTED else None,
            "total_pages": last,
            "first_page": 1 if total else None,
            "last_page": last or None,
            "page": page if found else None,
            "previous_page": page - 1 or None if found else None,
            "next_page": page + 1 if len(found) > page_size else None,
        }
        header = json.dumps({name: number for name, number in place.items() if number is not None})
        return [row for row, _ in found[:page_size]], {"X-Pagination": header}
