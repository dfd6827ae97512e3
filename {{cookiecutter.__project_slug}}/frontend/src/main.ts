// The page: where it stands towards the API, and a section for each of the other files.

import { API_URL } from "./api";
import { find, make } from "./elements";
import { mixedNames } from "./explain";
import { showNotes } from "./notes";
import { startRequests } from "./requests";
import { startResources } from "./resources";
import { startSession } from "./session";

const apiOrigin = new URL(API_URL, location.href).origin;
find("#page-origin").textContent = location.origin;
find("#api-origin").textContent = apiOrigin;
find("#relation").textContent = location.origin === apiOrigin ? "same origin" : "cross-origin";

const mixed = mixedNames(location.href, API_URL);
if (mixed) find("#warning").append(`${mixed.message} Open `, make("a", { href: mixed.open }, mixed.open));
find("#warning").hidden = !mixed;

startRequests();
startSession((user) => showNotes(user !== undefined));
startResources();
