"""Pagination: `page` and `page_size` in the query, page numbers in the header X-Pagination."""

import json
from typing import Any

import marshmallow as ma
from sqlalchemy import Select, bindparam, func, literal_column, select

from .extensions import db

MAX_TOTAL = 1000  # rows to count: SQLite counts them in 50 us, and a million in 30 ms
KEYS = f"JSON: first_page, page, previous_page, next_page; to {MAX_TOTAL} rows: total, total_pages, last_page"
PAGE_HEADERS = {"X-Pagination": {"description": KEYS, "schema": {"type": "string"}}}


class PageSchema(ma.Schema):
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 1_000_000))
    page_size = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, 100))


class Paginator:
    """An ordered query of one entity and its count, built once. `notes.py` has the reason."""

    def __init__(self, query: Select[Any]) -> None:
        one: Select[Any] = query.with_only_columns(literal_column("1"), maintain_column_froms=True)
        first = one.order_by(None).limit(MAX_TOTAL + 1)
        self.count = select(func.count()).select_from(first.subquery())
        self.rows = query.add_columns(self.count.scalar_subquery())
        self.rows = self.rows.limit(bindparam("limit")).offset(bindparam("offset"))

    def get_page(self, page: int, page_size: int, **values: object) -> tuple[list[Any], dict[str, str]]:
        """Return the rows of a page and its X-Pagination header. `values` are the bind parameters."""
        limits = {"limit": page_size + 1, "offset": (page - 1) * page_size}  # one more row: a next page
        results = db.session.execute(self.rows, values | limits).all()
        total = results[0][1] if results else db.session.scalar(self.count, values) or 0
        last_page = -(-total // page_size) if total <= MAX_TOTAL else None
        numbers = {
            "total": total if total <= MAX_TOTAL else None,
            "total_pages": last_page,
            "first_page": 1 if total else None,
            "last_page": last_page or None,
            "page": page if results else None,
            "previous_page": page - 1 or None if results else None,
            "next_page": page + 1 if len(results) > page_size else None,
        }
        header = json.dumps({name: number for name, number in numbers.items() if number is not None})
        return [row for row, _ in results[:page_size]], {"X-Pagination": header}
