// The demo: each kind of cross-origin request, a playground, and uses of files. README.md says how to delete it.

import "./demo.css";
import "./sections";
import { API_URL } from "../api";
import { isSameOrigin } from "../explain";
import { startPlayground } from "./playground";
import { startRequests } from "./requests";
import { startResources } from "./resources";

export function start(): void {
  const origins = isSameOrigin(API_URL) ? "one" : "two";
  for (const text of document.querySelectorAll<HTMLElement>("[data-origins]")) {
    text.hidden = text.dataset.origins !== origins;
  }
  startRequests();
  startPlayground();
  startResources();
}
