// Find and make elements. Text is added as text, never as HTML, which prevents cross-site scripting (XSS).

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

export function button(text: string, click: () => void, set: Attributes = {}): HTMLButtonElement {
  const element = make("button", { type: "button", ...set }, text);
  element.addEventListener("click", click);
  return element;
}

export function field(label: string, control: HTMLElement): HTMLElement {
  const error = make("small", { id: `${control.id}-error` });
  control.setAttribute("aria-describedby", error.id);
  return make("div", { class: "field" }, make("label", { for: control.id }, label), control, error);
}

/** Make a place for an outcome, which a screen reader says. */
export const status = () => make("div", { role: "status", "data-outcome": "", "data-state": "" });
