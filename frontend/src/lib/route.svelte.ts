// Where one is: every view has an address of its own, and back works.

import { frame } from "./frame.ts";

export const VIEWS = ["now", "bill", "history", "compare", "alerts", "data"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  given: Record<string, string>;
}

function read(): Route {
  const name = location.pathname.replace(/^\/home\/?/, "");
  const given = Object.fromEntries(new URLSearchParams(location.search));
  return { view: (VIEWS as readonly string[]).includes(name) ? (name as View) : "now", given };
}

export const route = $state<Route>(read());

/** Give the address of a view; the place stays in it where it came from the address, and the language too. */
export function addressOf(view: View, given: Record<string, string> = {}): string {
  const kept = new URLSearchParams(location.search);
  const query = new URLSearchParams();
  for (const name of ["place", "lang"]) {
    const value = kept.get(name);
    if (value !== null) query.set(name, value);
  }
  for (const [name, value] of Object.entries(given)) query.set(name, value);
  const text = query.toString();
  return `/home${view === "now" ? "" : `/${view}`}${text ? `?${text}` : ""}`;
}

function follow(): void {
  Object.assign(route, read());
}

/** Go to a view, or to other choices within it; `quietly` leaves no step for back. */
export function go(view: View, given: Record<string, string> = {}, quietly = false): void {
  history[quietly ? "replaceState" : "pushState"](null, "", addressOf(view, given));
  const moved = route.view !== view;
  follow();
  if (moved) scrollTo(0, 0);
}

/** Give what a link to a view does when it is pressed: the view changes in place; with a modifier the browser opens it. */
export function leads(view: View, given: Record<string, string> = {}): (event: MouseEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(view, given);
    document.getElementById("main")?.focus({ preventScroll: true });
  };
}

addEventListener("popstate", follow);
export const place = frame.place;
