"""Control WebKit with WebDriver (https://www.w3.org/TR/webdriver2), because Playwright lacks it on some systems."""

import time
from typing import Any

import requests

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element reference in the standard


class WebKit:
    """A browser with a new profile and one page."""

    def __init__(self, driver: str) -> None:
        """Start it with the driver at a URL."""
        self.session = f"{driver}/session"
        wanted = {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}}
        self.session += f"/{self.send('POST', '', wanted)['sessionId']}"
        self.send("POST", "/timeouts", {"implicit": 30000})  # wait for elements that a script creates

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send a command and return the value of the response."""
        json = body if body is not None or method != "POST" else {}
        answer = requests.request(method, self.session + path, json=json, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["value"]

    def quit(self) -> None:
        """Close the browser."""
        self.send("DELETE", "")

    def open(self, url: str) -> None:
        """Open a page."""
        self.send("POST", "/url", {"url": url})

    def reload(self) -> None:
        """Load the page again."""
        self.send("POST", "/refresh")

    def find(self, selector: str) -> str:
        """Return the path for commands to an element."""
        found = self.send("POST", "/element", {"using": "css selector", "value": selector})
        return f"/element/{found[ELEMENT]}"

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.send("POST", f"{self.find(selector)}/click")

    def fill(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        field = self.find(selector)
        self.send("POST", f"{field}/clear")
        self.send("POST", f"{field}/value", {"text": text})

    def wait_for_text(self, selector: str, text: str, seconds: float = 30) -> None:
        """Wait until an element shows a text. Fail with the current text after the timeout."""
        deadline = time.monotonic() + seconds
        while text not in (shown := self.send("GET", f"{self.find(selector)}/text")):
            assert time.monotonic() < deadline, f"{selector} does not show {text!r}, but {shown!r}"
            time.sleep(0.05)

    def run(self, script: str, *arguments: object) -> Any:
        """Run a function body in the page. Return its result, or the value of its promise."""
        return self.send("POST", "/execute/sync", {"script": script, "args": arguments})
