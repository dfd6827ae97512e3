"""docs/blocked-by-cors.md holds what the code says."""

from scripts.blocked_by_cors import DOCUMENT, document


def test_the_document_says_what_the_code_says() -> None:
    """If it does not: `uv run python -m scripts.blocked_by_cors` writes the document anew."""
    assert DOCUMENT.read_text("utf-8") == document()
