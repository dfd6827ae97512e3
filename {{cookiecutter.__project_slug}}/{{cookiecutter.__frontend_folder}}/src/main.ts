// Start each part of the front end, and show how it reaches the API.

import { API_URL } from "./api";
import { find, make } from "./app/elements";
import { showNotes } from "./app/notes";
import { startSession } from "./app/session";
import * as demo from "./demo/demo";
import { checkHosts, isSameOrigin } from "./explain";

find("#page-origin").textContent = location.origin;
find("#api-origin").textContent = new URL(API_URL, location.href).origin;
find("#relation").textContent = isSameOrigin(API_URL) ? "same origin (proxy)" : "cross-origin";

const mismatch = checkHosts(location.href, API_URL);
if (mismatch) find("#warning").append(`${mismatch.message} Open `, make("a", { href: mismatch.open }, mismatch.open));
find("#warning").hidden = !mismatch;

startSession((user) => showNotes(user !== undefined));
demo.start();
