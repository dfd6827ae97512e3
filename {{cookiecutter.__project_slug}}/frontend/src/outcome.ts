// Tell what became of a request, in words, to a screen reader as well (role="status").

import { ApiError } from "./api";
import { find, make } from "./elements";
import { BlockedError } from "./explain";

export function show(place: HTMLElement, state: "" | "ok" | "error" | "blocked", ...content: (Node | string)[]): void {
  place.dataset.state = state;
  place.replaceChildren(...content);
}

/** Tell why it failed; in a form, at its fields too (422). */
export function tell(place: HTMLElement, error: unknown, form?: HTMLFormElement): void {
  if (error instanceof BlockedError) {
    const advice = make("ol", {}, ...error.advice.map((text) => make("li", {}, text)));
    show(place, "blocked", make("strong", {}, `Blocked: ${error.reason}`), make("p", {}, error.message), advice);
  } else if (error instanceof ApiError) {
    const known = error.retryAfter ? `Too many tries. Try again in ${error.retryAfter} seconds.` : error.message;
    const words = form && error.status === 422 ? "Correct the marked fields." : known;
    show(place, "error", make("strong", {}, `${error.status} ${error.problem.title}`), make("p", {}, words));
    if (form) markFields(form, error.fields);
  } else show(place, "error", error instanceof Error ? error.message : String(error));
}

/** Write what is wrong with each field where its aria-describedby points, and take away what was. */
export function markFields(form: HTMLFormElement, errors: Record<string, string> = {}): void {
  const fields = [...form.querySelectorAll<HTMLInputElement>("[aria-describedby]")];
  for (const field of fields) {
    field.setAttribute("aria-invalid", String(field.name in errors));
    find(`#${field.getAttribute("aria-describedby")}`).textContent = errors[field.name] ?? "";
  }
  fields.find(({ name }) => name in errors)?.focus();
}
