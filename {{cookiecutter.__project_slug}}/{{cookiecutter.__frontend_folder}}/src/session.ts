// Sign in and out. The login is a cookie that no script can read: after a reload, the API says who it is.

import { API_URL, api } from "./api";
import { button, field, find, make } from "./elements";
import { mixedNames } from "./explain";
import { markFields, show, tell } from "./outcome";

type User = { id: number; username: string };

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

/** Watch the login; `changed` learns who is signed in, at the start and after each change. */
export function startSession(changed: (user?: User) => void): void {
  const become = async (ask: () => Promise<User | undefined>) => {
    show(result, "");
    markFields(form);
    try {
      const user = await ask();
      find("#who").textContent = user ? `Signed in as ${user.username}` : "Not signed in";
      form.hidden = Boolean(user);
      signOut.hidden = !user;
      changed(user);
    } catch (error) {
      tell(result, error, form);
    }
  };
  const signOut = button("Sign out", () => become(logout).then(() => username.focus()), { id: "sign-out", hidden: "" });
  form.append(field("Name", username), field("Password", password), signIn);
  form.after(signOut);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    become(login).then(() => signOut.focus());
  });
  if (import.meta.env.DEV) [username.value, password.value] = ["demo", "demo-password"];
  become(me);
}

async function login(): Promise<User> {
  await api.post("/api/auth/login", { username: username.value, password: password.value });
  const user = await me();
  if (user) return user;
  const { hostname, origin } = new URL(API_URL, location.href);
  const cure = "Give both a name under one domain, or set CROSS_SITE_COOKIES=1 in production (not for Safari).";
  const sites = mixedNames(location.href, origin)?.message ?? `${location.origin} and ${origin} are two sites. ${cure}`;
  const why = hostname === location.hostname ? "Allow cookies, and use https in production." : sites;
  throw new Error(`The API accepted the login, but the browser sent no cookie with the next request. ${why}`);
}

const logout = () => api.post("/api/auth/logout").then(() => undefined);

async function me(): Promise<User | undefined> {
  const validateStatus = (status: number) => status === 200 || status === 401;
  const { status, data } = await api.get<User>("/api/auth/me", { validateStatus });
  return status === 200 ? data : undefined;
}
