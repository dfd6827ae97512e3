// Find and make elements, and show the outcome of a request. Content is added as text, never as HTML. This prevents
// cross-site scripting (XSS). With role="status", a screen reader reads the outcome aloud.

import { ApiError } from "../api";
import { BlockedError, type Explanation, getMdnUrl } from "../explain";

type Attributes = Record<string, string>;

export function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const element = document.querySelector<T>(selector);
  if (element) return element;
  throw new Error(`The page has no element ${selector}.`);
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  set: Attributes = {},
  ...content: (Node | string)[]
) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

export function makeButton(text: string, click: () => void, set: Attributes = {}): HTMLButtonElement {
  const element = make("button", { type: "button", ...set }, text);
  element.addEventListener("click", click);
  return element;
}

export function makeField(label: string, control: HTMLElement): HTMLElement {
  const error = make("small", { id: `${control.id}-error` });
  control.setAttribute("aria-describedby", error.id);
  return make("div", { class: "field" }, make("label", { for: control.id }, label), control, error);
}

/** Make the element that shows an outcome. */
export const makeStatus = () => make("div", { role: "status", "data-outcome": "", "data-state": "" });

export function show(place: HTMLElement, state: "" | "ok" | "error" | "blocked", ...content: (Node | string)[]): void {
  place.dataset.state = state;
  place.replaceChildren(...content);
}

/** Show why a request failed. With a form, mark its invalid fields too (422). */
export function showError(place: HTMLElement, error: unknown, form?: HTMLFormElement): void {
  if (error instanceof BlockedError) {
    const advice = make("ol", {}, ...error.advice.map((text) => make("li", {}, text)));
    show(place, "blocked", make("strong", {}, `Blocked: ${error.reason}`), make("p", {}, error.message), advice);
    const summary = make("summary", {}, "Step by step");
    if (error.explanation) place.append(make("details", {}, summary, ...makeSteps(error.explanation)));
  } else if (error instanceof ApiError) {
    const message = error.retryAfter ? `Too many requests. Try again in ${error.retryAfter} seconds.` : error.message;
    const text = form && error.status === 422 ? "Correct the marked fields." : message;
    show(place, "error", make("strong", {}, `${error.status} ${error.problem.title}`), make("p", {}, text));
    if (form) markFields(form, error.fields);
  } else show(place, "error", error instanceof Error ? error.message : String(error));
}

/** Make the list of steps of an explanation, with a link to MDN. */
export function makeSteps({ steps, reason }: Explanation): HTMLElement[] {
  const items = steps.map(({ step, ok, detail }) => {
    const lines = detail.split("\n");
    const http = lines.findIndex((line) => !line.endsWith(".")); // a request or a response follows the sentences
    const sentences = lines.splice(0, http < 0 ? lines.length : http).join(" ");
    const state = { class: "step", "data-state": ok ? "ok" : "blocked" };
    const item = make("li", state, make("strong", {}, `${ok ? "✓" : "✗"} ${step}`));
    if (sentences) item.append(make("p", {}, sentences));
    if (lines.length > 0) item.append(make("pre", {}, lines.join("\n")));
    return item;
  });
  const more = reason ? [make("a", { href: getMdnUrl(reason) }, `MDN: ${reason}`)] : [];
  return [make("ol", { class: "steps" }, ...items), ...more];
}

/** Show the error of each field in the element of its aria-describedby, and remove earlier errors. */
export function markFields(form: HTMLFormElement, errors: Record<string, string> = {}): void {
  const fields = [...form.querySelectorAll<HTMLInputElement>("[aria-describedby]")];
  for (const field of fields) {
    field.setAttribute("aria-invalid", String(field.name in errors));
    find(`#${field.getAttribute("aria-describedby")}`).textContent = errors[field.name] ?? "";
  }
  fields.find(({ name }) => name in errors)?.focus();
}
