// The page: where it stands towards the API, and a section for each of the other files.

import { API_URL } from "./api";
import { find, make } from "./elements";
import { isSameOrigin, mixedNames } from "./explain";
import { showNotes } from "./notes";
import { startPlayground } from "./playground";
import { startRequests } from "./requests";
import { startResources } from "./resources";
import { startSession } from "./session";

const mode = isSameOrigin(API_URL) ? "same origin (proxy)" : "cross-origin";
find("#page-origin").textContent = location.origin;
find("#api-origin").textContent = new URL(API_URL, location.href).origin;
find("#relation").textContent = mode;
for (const text of document.querySelectorAll<HTMLElement>("[data-when]")) text.hidden = text.dataset.when !== mode;

const mixed = mixedNames(location.href, API_URL);
if (mixed) find("#warning").append(`${mixed.message} Open `, make("a", { href: mixed.open }, mixed.open));
find("#warning").hidden = !mixed;

startRequests();
startSession((user) => showNotes(user !== undefined));
startPlayground();
startResources();
