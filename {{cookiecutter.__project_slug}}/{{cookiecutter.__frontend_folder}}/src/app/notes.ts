// The notes of the signed-in user. If-Match keeps a change from overwriting another one (RFC 9110 §13.1.1).

import { ApiError, api } from "../api";
import type { components } from "../api-types";
import { button, field, find, make, markFields, show, status, tell } from "./elements";

type Note = components["schemas"]["Note"]; // `npm run types` writes it from the schemas of the API
type Draft = Pick<Note, "title" | "body">;
type Save = (draft: Draft, form: HTMLFormElement) => Promise<void>;
type Act = () => Promise<void>;

const result = find("#notes-outcome");
const place = make("span", { id: "notes-page" });
const newer = button("Newer", () => attempt(result, () => load(page - 1)));
const older = button("Older", () => attempt(result, () => load(page + 1)));
const search = make("input", { id: "notes-search", type: "search", maxlength: "100", "aria-label": "Search titles" });
const orders = { "": "Newest first", title: "By title", "-updated_at": "Last changed first" };
const options = Object.entries(orders).map(([value, text]) => make("option", { value }, text));
const sort = make("select", { id: "notes-sort", "aria-label": "Order" }, ...options);
const add = make("button", { id: "note-add", class: "primary" }, "Add note");
find("#note-new").append(noteForm("note", { title: "", body: "" }, [add], result, create));
find("#notes").before(make("div", { class: "row" }, search, sort));
for (const control of [search, sort]) control.addEventListener("change", () => attempt(result, () => load(1)));
find("#notes-pages").append(newer, place, older);
let page = 1;

/** Show the notes of whoever is signed in, or none. */
export function showNotes(signedIn: boolean): void {
  find("#notes-area").hidden = !signedIn;
  find("#notes-hint").hidden = signedIn;
  find("#notes").replaceChildren();
  if (signedIn) attempt(result, () => load(1));
}

async function load(wanted: number): Promise<void> {
  const filter = { search: search.value || undefined, sort: sort.value || undefined };
  const params = { page: wanted, page_size: 5, ...filter };
  const { data, headers } = await api.get<Note[]>("/api/notes", { params });
  // readable, because the policy of the blueprint notes exposes it
  const { total_pages: pages, next_page: next } = JSON.parse(headers["x-pagination"]);
  if (wanted > 1 && !data.length) return load((pages ?? wanted - 1) || 1); // the last page has no note any more
  page = wanted;
  find("#notes").replaceChildren(...data.map(row));
  place.textContent = pages === 0 ? "No notes yet" : `Page ${page}${pages ? ` of ${pages}` : ""}`; // a long list is not counted
  newer.disabled = page <= 1;
  older.disabled = !next;
}

async function create(draft: Draft, form: HTMLFormElement): Promise<void> {
  await api.post("/api/notes", draft);
  form.reset();
  await load(1);
  show(result, "ok", `Added “${draft.title}”.`);
}

async function read(id: number): Promise<[Note, { headers: { "If-Match": string } }]> {
  const { data, headers } = await api.get<Note>(`/api/notes/${id}`);
  return [data, { headers: { "If-Match": headers.etag } }]; // as it came: proxies that compress change it
}

function row(note: Note): HTMLLIElement {
  const here = status();
  const item = make("li", {}, make("div", {}, make("h3", {}, note.title), make("p", {}, note.body)));
  const reload = async () => item.replaceWith(row((await read(note.id))[0]));
  const label = (verb: string) => ({ "aria-label": `${verb} ${note.title}` });
  const change = button("Edit", () => attempt(here, () => edit(note.id, item)), label("Edit"));
  const discard = button("Delete", () => attempt(here, () => remove(note), reload), label("Delete"));
  item.append(make("div", { class: "row" }, change, discard), here);
  return item;
}

async function remove(shown: Note): Promise<void> {
  const [note, ifMatch] = await read(shown.id);
  // the ETag is new: compare with what the user saw
  if (note.updated_at !== shown.updated_at) throw new ChangedError();
  await api.delete(`/api/notes/${note.id}`, ifMatch);
  await load(page);
  show(result, "ok", `Deleted “${note.title}”.`);
  find("#notes-heading").focus();
}

async function edit(id: number, item: HTMLLIElement): Promise<void> {
  const [note, ifMatch] = await read(id);
  const here = status();
  const close = (latest: Note) => {
    const closed = row(latest);
    item.replaceWith(closed);
    closed.querySelector("button")?.focus();
  };
  const save = async (draft: Draft) => close((await api.put<Note>(`/api/notes/${id}`, draft, ifMatch)).data);
  const reload = async () => close((await read(id))[0]);
  const buttons = [make("button", { class: "primary" }, "Save"), button("Cancel", () => close(note))];
  item.replaceChildren(noteForm(`edit-${id}`, note, buttons, here, save, reload), here);
  item.querySelector("input")?.focus();
}

function noteForm(prefix: string, note: Draft, buttons: Node[], here: HTMLElement, save: Save, reload?: Act) {
  const title = make("input", { id: `${prefix}-title`, name: "title", value: note.title, autocomplete: "off" });
  const body = make("textarea", { id: `${prefix}-body`, name: "body", rows: "3" }, note.body);
  const form = make("form", {}, field("Title", title), field("Text", body), make("div", { class: "row" }, ...buttons));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    markFields(form);
    attempt(here, () => save({ title: title.value, body: body.value }, form), reload, form);
  });
  return form;
}

class ChangedError extends Error {}

/** Do it, and show what went wrong. If another request has changed the note, offer to `reload` it. */
async function attempt(here: HTMLElement, act: Act, reload?: Act, form?: HTMLFormElement) {
  show(here, "");
  await act().catch((error) => {
    tell(here, error, form);
    const changed = error instanceof ChangedError || (error instanceof ApiError && [409, 412].includes(error.status));
    if (!changed || !reload) return;
    const again = button("Reload this note", () => attempt(here, reload));
    show(here, "error", make("p", {}, "It was changed by another request. Reload it and try again."), again);
  });
}
