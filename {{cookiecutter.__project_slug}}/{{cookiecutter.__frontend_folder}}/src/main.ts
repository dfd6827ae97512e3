// The page: how it reaches the API, and its parts.

import { API_URL } from "./api";
import { find, make } from "./app/elements";
import { showNotes } from "./app/notes";
import { startSession } from "./app/session";
import * as demo from "./demo/demo";
import { isSameOrigin, mixedNames } from "./explain";

find("#page-origin").textContent = location.origin;
find("#api-origin").textContent = new URL(API_URL, location.href).origin;
find("#relation").textContent = isSameOrigin(API_URL) ? "same origin (proxy)" : "cross-origin";

const mixed = mixedNames(location.href, API_URL);
if (mixed) find("#warning").append(`${mixed.message} Open `, make("a", { href: mixed.open }, mixed.open));
find("#warning").hidden = !mixed;

startSession((user) => showNotes(user !== undefined));
demo.start();
