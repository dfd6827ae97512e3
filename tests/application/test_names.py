"""User names: one key for each name, independent of case and Unicode form."""

import sys
import unicodedata

import pytest
from conftest import PASSWORD
from flask import Flask
from my_lab_api.extensions import db
from my_lab_api.models import User, normalize_name
from my_lab_api.users import create_user
from werkzeug.exceptions import Conflict, UnprocessableEntity

# the name as created, and as typed
ALIKE = {
    "case": ("Ada Lovelace", "aDA lOVELACE"),
    "outer spaces": (" eve ", "eve"),
    "full width": ("Ｅｖｅ", "eve"),
    "one code point or two": ("Ren\u00e9", "rene\u0301"),
    "sharp s": ("Straße", "STRASSE"),
    "ligature": ("ﬁona", "FIONA"),
    "final sigma": ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    "title case": ("ǅ", "ǆ"),
}


@pytest.mark.parametrize(("written", "typed"), ALIKE.values(), ids=ALIKE)
def test_one_name_is_one_user_and_is_displayed_as_created(app: Flask, written: str, typed: str) -> None:
    with app.app_context():
        create_user(written, PASSWORD)
        db.session.commit()
        with pytest.raises(Conflict, match="already"):
            create_user(typed, PASSWORD)
    client = app.test_client()
    for name in (written, typed, f"  {typed} "):
        answer = client.post("/api/auth/login", json={"username": name, "password": PASSWORD})
        assert (answer.status_code, answer.json["username"]) == (200, written.strip()), name


def test_all_forms_of_a_name_count_for_one_account_limit(app: Flask) -> None:
    app.config["LOGIN_ACCOUNT_LIMIT"] = "3 per minute"
    client = app.test_client()
    names = ("ada", "ADA", " Ada ", "Ａda", "grace")
    statuses = [client.post("/api/auth/login", json={"username": n, "password": "x"}).status_code for n in names]
    assert statuses == [401, 401, 401, 429, 401]


@pytest.mark.parametrize("name", ["", " ", "   ", "x" * 65, "a\nb", "a\x00", "a\u200bb", "\udcff"])
def test_a_name_that_is_not_printable_is_refused(app: Flask, name: str) -> None:
    with app.app_context(), pytest.raises(UnprocessableEntity, match="1 to 64 printable characters"):
        create_user(name, PASSWORD)


def test_normalizing_a_key_again_changes_nothing() -> None:
    for code in range(sys.maxunicode + 1):
        if not 0xD800 <= code <= 0xDFFF:
            key = normalize_name(f"a{chr(code)}")
            assert normalize_name(key) == key, hex(code)
            assert unicodedata.is_normalized("NFKC", key), hex(code)


def test_the_longest_name_fits_into_its_column(app: Flask) -> None:
    longest = "\ufdfa" * 64  # 18 characters each in NFKC
    with app.app_context():
        create_user(longest, PASSWORD)
        db.session.commit()
        user = db.session.get(User, 3)
        assert user
        assert len(user.username_key) == 64 * 18
