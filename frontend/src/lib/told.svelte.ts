// One question of a view: its last known answer at once, the present one when it comes, and again when something is new.

import { ask, type Kept, lastKnown, Refused } from "./ask.ts";
import { page } from "./page.svelte.ts";
import { onClock } from "./say.ts";

export class Told<T> {
  answer = $state.raw<T | null>(null);
  /** When it was received, in ms. */
  keptAt = $state<number | null>(null);
  refused = $state<Refused | null>(null);
  #path = "";

  /** Ask another question, or the same again; an answer that comes after a later question is dropped. */
  async ask(path: string): Promise<void> {
    const anew = path !== this.#path;
    this.#path = path;
    if (anew) {
      this.#show(lastKnown<T>(path));
      this.refused = null;
    }
    try {
      const told = await ask<T>(path);
      if (path === this.#path) this.#show(told);
      page.offline = false;
    } catch (error) {
      if (path !== this.#path) return;
      if (error instanceof Refused) this.refused = error;
      else page.offline = true;
    }
  }

  #show(told: Kept<T> | null): void {
    const zone = (told?.answer as { timezone?: string } | undefined)?.timezone;
    if (zone !== undefined) onClock(zone);
    this.answer = told?.answer ?? null;
    this.keptAt = told?.keptAt ?? null;
  }
}
