"""docs/blocked-by-cors.md has the messages of the code, in English and in Chinese."""

import re

import pytest

from scripts.blocked_by_cors import CHINESE, ENGLISH, LANGUAGES, Language, document, get_path
from scripts.blocked_situations import MESSAGES
from scripts.chinese import translate


@pytest.mark.parametrize("language", LANGUAGES, ids=["English", "Chinese"])
def test_the_document_has_the_messages_of_the_code(language: Language) -> None:
    """If it does not, `uv run python -m scripts.blocked_by_cors` writes it again."""
    assert get_path(language).read_text("utf-8") == document(language)


def test_both_languages_have_the_same_entries_and_links() -> None:
    english, chinese = (get_path(language).read_text("utf-8") for language in (ENGLISH, CHINESE))
    heading, message, row, link, case, block = "^#+ ", "^### .*", r"^\| `.*?`", r"\]\(.*?\)", "^- ", "^    .*"
    for pattern in (heading, message, row, link, case, block):
        assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, chinese, re.MULTILINE)
    assert [message for message in MESSAGES if f"`{message}`" not in chinese] == []


def test_a_message_without_chinese_is_named() -> None:
    with pytest.raises(LookupError, match=r"The message 'Drink tea\.' has no Chinese\. Add its pattern"):
        translate("Drink tea.")
