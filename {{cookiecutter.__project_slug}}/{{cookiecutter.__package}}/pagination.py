"""Pagination: `page` and `page_size` in the query, and the place of the page in the header X-Pagination."""

import json
from typing import Any

import marshmallow as ma
from sqlalchemy import Select, bindparam, func, literal_column, select

from .extensions import db

MAX_TOTAL = 1000  # rows that are counted: that takes SQLite 50 us, and a million rows some 30 ms
PLACE = f"JSON: first_page, page, previous_page, next_page; total, total_pages, last_page to {MAX_TOTAL} rows"
PAGE_HEADERS = {"X-Pagination": {"description": PLACE, "schema": {"type": "string"}}}


class PageSchema(ma.Schema):
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 1_000_000))
    page_size = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class Paginator:
    """An ordered query of one entity, and its count, built once: see `notes.py` for what that gains."""

    def __init__(self, query: Select[Any]) -> None:
        one: Select[Any] = query.with_only_columns(literal_column("1"), maintain_column_froms=True)
        first = one.order_by(None).limit(MAX_TOTAL + 1)
        self.count = select(func.count()).select_from(first.subquery())
        self.rows = query.add_columns(self.count.scalar_subquery())
        self.rows = self.rows.limit(bindparam("limit")).offset(bindparam("offset"))

    def get_page(self, page: int, page_size: int, **values: object) -> tuple[list[Any], dict[str, str]]:
        """Return the rows of one page, and the header with its place; `values` are for the bindparams."""
        limits = {"limit": page_size + 1, "offset": (page - 1) * page_size}  # one more: is there a next page?
        found = db.session.execute(self.rows, values | limits).all()
        total = found[0][1] if found else db.session.scalar(self.count, values) or 0
        last_page = -(-total // page_size) if total <= MAX_TOTAL else None
        place = {
            "total": total if total <= MAX_TOTAL else None,
            "total_pages": last_page,
            "first_page": 1 if total else None,
            "last_page": last_page or None,
            "page": page if found else None,
            "previous_page": page - 1 or None if found else None,
            "next_page": page + 1 if len(found) > page_size else None,
        }
        header = json.dumps({name: number for name, number in place.items() if number is not None})
        return [row for row, _ in found[:page_size]], {"X-Pagination": header}
