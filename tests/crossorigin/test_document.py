"""docs/blocked-by-cors.md has the messages of the code."""

from scripts.blocked_by_cors import DOCUMENT, document


def test_the_document_has_the_messages_of_the_code() -> None:
    """If it does not: `uv run python -m scripts.blocked_by_cors` writes it again."""
    assert DOCUMENT.read_text("utf-8") == document()
