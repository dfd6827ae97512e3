// Sign up, in and out. No script can read the session cookie, so after a reload the page asks the API who is signed in.

import { API_URL, api } from "../api";
import type { components } from "../api-types";
import { mixedNames } from "../explain";
import { button, field, find, make, markFields, show, tell } from "./elements";

type User = components["schemas"]["User"];

const username = make("input", { id: "username", name: "username", autocomplete: "username", autocapitalize: "none" });
const password = make("input", {
  id: "password",
  name: "password",
  autocomplete: "current-password",
  type: "password",
});
const signIn = make("button", { id: "sign-in", class: "primary" }, "Sign in");
const form = find<HTMLFormElement>("#session");
const result = find("#session-outcome");

/** Start the form, and call `onChange` with who is signed in: at the start, and after each change. */
export function startSession(onChange: (user?: User) => void): void {
  let shown: User | undefined;
  const update = async (request: () => Promise<User | undefined>) => {
    show(result, "");
    markFields(form);
    try {
      const user = await request();
      find("#who").textContent = user ? `Signed in as ${user.username}` : "Not signed in";
      form.hidden = Boolean(user);
      signOut.hidden = !user;
      shown = user;
      onChange(user);
    } catch (error) {
      tell(result, error, form);
    }
  };
  const signOut = button("Sign out", () => update(logout).then(() => username.focus()), { id: "sign-out", hidden: "" });
  const signUp = button("Sign up", () => update(() => login("register")), { id: "sign-up" });
  form.append(field("Name", username), field("Password", password), make("div", { class: "row" }, signIn, signUp));
  form.after(signOut);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    update(() => login("login")).then(() => signOut.focus());
  });
  if (import.meta.env.DEV) [username.value, password.value] = ["demo", "demo-password"];
  update(me);
  // all tabs share the cookie: in another one, somebody else may have signed in, or out
  window.addEventListener("focus", async () => {
    const user = await me().catch(() => shown);
    if (user?.id === shown?.id) return;
    await update(async () => user);
    show(result, "ok", "This has changed in another tab.");
  });
}

async function login(route: "login" | "register"): Promise<User> {
  await api.post(`/api/auth/${route}`, { username: username.value, password: password.value });
  const user = await me();
  if (user) return user;
  const { hostname, origin } = new URL(API_URL, location.href);
  const fix = "Use one domain for both, or set CROSS_SITE_COOKIES=1 in production (not for Safari).";
  const sites = mixedNames(location.href, origin)?.message ?? `${location.origin} and ${origin} are two sites. ${fix}`;
  const why = hostname === location.hostname ? "Allow cookies, and use https in production." : sites;
  throw new Error(`The API accepted the password, but the browser did not send the session cookie. ${why}`);
}

const logout = () => api.post("/api/auth/logout").then(() => undefined);

async function me(): Promise<User | undefined> {
  const validateStatus = (status: number) => status === 200 || status === 401;
  const { status, data } = await api.get<User>("/api/auth/me", { validateStatus });
  return status === 200 ? data : undefined;
}
