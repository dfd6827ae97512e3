// Add the HTML of the demo to the page. Import this before the files that look for its elements.

import html from "./demo.html?raw";

document.querySelector("main")?.insertAdjacentHTML("beforeend", html);
