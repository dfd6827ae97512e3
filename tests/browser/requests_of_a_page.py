"""Send requests from the script of a page, without mocks or interception."""

import json
import re
from typing import Any

from playwright.sync_api import Page

from tests.running import RunningProject

FETCH = """async ([url, options]) => {
  try {
    const response = await fetch(url, options);
    return {
      status: response.status,
      type: response.type,
      text: await response.text(),
      headers: Object.fromEntries(response.headers),
    };
  } catch (error) {
    return { refused: error.name };
  }
}"""
REFUSED = {"refused": "TypeError"}


def fetch(page: Page, url: str, **options: Any) -> dict[str, Any]:
    """Send a request from the script of the page. Return what the script can read, or REFUSED."""
    answer: dict[str, Any] = page.evaluate(FETCH, [url, options])
    return answer


def with_json(method: str, body: object, **headers: str) -> dict[str, Any]:
    """Return the fetch options of a request with cookies and a JSON body."""
    content = {"Content-Type": "application/json", **headers}
    return {"method": method, "headers": content, "body": json.dumps(body), "credentials": "include"}


def count_preflights(site: RunningProject, path: str) -> int:
    """Count the preflights of a path in the log of the server."""
    return len(re.findall(rf"\bOPTIONS {re.escape(path)} ", site.output))
