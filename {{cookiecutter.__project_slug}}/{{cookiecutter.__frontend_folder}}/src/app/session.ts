// Sign-up, sign-in and sign-out. A script cannot read the session cookie, so it asks the API who is signed in.

import { API_URL, api } from "../api";
import type { components } from "../api-types";
import { checkHosts } from "../explain";
import { find, make, makeButton, makeField, markFields, show, showError } from "./elements";

type User = components["schemas"]["User"];

const username = make("input", { id: "username", name: "username", autocomplete: "username", autocapitalize: "none" });
const attributes = { type: "password", autocomplete: "current-password" };
const password = make("input", { id: "password", name: "password", ...attributes });
const signIn = make("button", { id: "sign-in", class: "primary" }, "Sign in");
const form = find<HTMLFormElement>("#session");
const result = find("#session-outcome");

/** Show the form. Call `onChange` with the signed-in user, now and after each change. */
export function startSession(onChange: (user?: User) => void): void {
  let current: User | undefined;
  const update = async (request: () => Promise<User | undefined>) => {
    show(result, "");
    markFields(form);
    try {
      const user = await request();
      find("#who").textContent = user ? `Signed in as ${user.username}` : "Not signed in";
      form.hidden = Boolean(user);
      signOut.hidden = !user;
      current = user;
      onChange(user);
    } catch (error) {
      showError(result, error, form);
    }
  };
  const hiddenAttributes = { id: "sign-out", hidden: "" };
  const signOut = makeButton("Sign out", () => update(logout).then(() => username.focus()), hiddenAttributes);
  const signUp = makeButton("Sign up", () => update(() => login("register")), { id: "sign-up" });
  const row = make("div", { class: "row" }, signIn, signUp);
  form.append(makeField("Username", username), makeField("Password", password), row);
  form.after(signOut);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    update(() => login("login")).then(() => signOut.focus());
  });
  if (import.meta.env.DEV) [username.value, password.value] = ["demo", "demo-password"];
  update(getUser);
  // all tabs share the cookie: another tab may have changed who is signed in
  window.addEventListener("focus", async () => {
    const user = await getUser().catch(() => current);
    if (user?.id === current?.id) return;
    await update(async () => user);
    show(result, "ok", "The sign-in changed in another tab.");
  });
}

async function login(route: "login" | "register"): Promise<User> {
  await api.post(`/api/auth/${route}`, { username: username.value, password: password.value });
  const user = await getUser();
  if (user) return user;
  const { hostname, origin } = new URL(API_URL, location.href);
  const fix = "Use one domain for both, or set CROSS_SITE_COOKIES=1 in production (Safari blocks these cookies).";
  const sites = checkHosts(location.href, origin)?.message ?? `${location.origin} and ${origin} are two sites. ${fix}`;
  const advice = hostname === location.hostname ? "Allow cookies. In production, use https." : sites;
  throw new Error(`The API accepted the password, but the browser did not send the session cookie. ${advice}`);
}

const logout = () => api.post("/api/auth/logout").then(() => undefined);

async function getUser(): Promise<User | undefined> {
  const validateStatus = (status: number) => status === 200 || status === 401;
  const { status, data } = await api.get<User>("/api/auth/me", { validateStatus });
  return status === 200 ? data : undefined;
}
