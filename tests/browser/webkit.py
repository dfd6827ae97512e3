"""WebKit, by the WebDriver protocol (https://www.w3.org/TR/webdriver2): Playwright has none for every system."""

import time
from typing import Any

import requests

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key of a reference to an element


class WebKit:
    """A browser with a fresh profile, and one page."""

    def __init__(self, driver: str) -> None:
        """Start it by a driver, given the address of that."""
        self.session = f"{driver}/session"
        wanted = {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}}
        self.session += f"/{self.send('POST', '', wanted)['sessionId']}"
        self.send("POST", "/timeouts", {"implicit": 30000})  # for elements that a script has yet to make

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send a command, and return the value of the answer."""
        json = body if body is not None or method != "POST" else {}
        answer = requests.request(method, self.session + path, json=json, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["value"]

    def quit(self) -> None:
        """End the browser."""
        self.send("DELETE", "")

    def open(self, url: str) -> None:
        """Go to a page."""
        self.send("POST", "/url", {"url": url})

    def reload(self) -> None:
        """Load the page again."""
        self.send("POST", "/refresh")

    def find(self, selector: str) -> str:
        """Return the path of the commands for an element."""
        found = self.send("POST", "/element", {"using": "css selector", "value": selector})
        return f"/element/{found[ELEMENT]}"

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.send("POST", f"{self.find(selector)}/click")

    def fill(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is there."""
        field = self.find(selector)
        self.send("POST", f"{field}/clear")
        self.send("POST", f"{field}/value", {"text": text})

    def wait_for_text(self, selector: str, text: str, seconds: float = 30) -> None:
        """Wait until an element shows a text; fail with what it shows otherwise."""
        deadline = time.monotonic() + seconds
        while text not in (shown := self.send("GET", f"{self.find(selector)}/text")):
            assert time.monotonic() < deadline, f"{selector} does not show {text!r}, but {shown!r}"
            time.sleep(0.05)

    def run(self, script: str, *arguments: object) -> Any:
        """Run the body of a function in the page, and return what it returns, or its promise resolves to."""
        return self.send("POST", "/execute/sync", {"script": script, "args": arguments})
