// What was found in the home, as the server says it: sentences come in the reader's language.

import type { Tile } from "./answers.ts";
import { named, t } from "./say.ts";

export interface AlertFigure {
  name: string;
  value: number | string;
  unit: string;
}

export interface AlertTold {
  at: string;
  by: string;
  outcome: string;
}

export interface HomeAlert {
  id: string;
  kind: string;
  commodity: string;
  severity: "act" | "watch";
  state: "standing" | "dismissed" | "ended";
  since: string;
  raised_at: string;
  ended_at: string | null;
  end_reason: string;
  title: string;
  text: string;
  won_text: string;
  action: string;
  won: number | null;
  won_per: string;
  won_reason: string;
  confidence: number;
  figures: AlertFigure[];
  may_dismiss: boolean;
  dismissed_at: string | null;
  told: AlertTold[];
}

export interface AlertCheck {
  kind: string;
  commodity: string;
  state: string;
  why: string;
  text: string;
}

export interface HomeAlertList {
  place: string;
  timezone: string;
  language: string;
  known_at: string;
  looked_at: string | null;
  alerts: HomeAlert[];
  checks: AlertCheck[];
  standing: number;
}

export interface HomeBudget {
  place: string;
  won: number | null;
  set_at: string | null;
  set_by_you: boolean;
  least: number;
  most: number;
  alert: string | null;
}

/** Why something is not looked for that nobody misses: no such meter or tier, or the household has not asked for it. */
const UNASKED = ["no_meter", "no_tiers", "no_budget", "no_consent"];

export interface Checks {
  /** What is looked for, and what would be but cannot be now; each sentence once. */
  watched: AlertCheck[];
  unsaid: AlertCheck[];
  unasked: AlertCheck[];
  /** Kinds that are looked for, and kinds that would be. */
  kinds: number;
  all: number;
}

/** Sort the checks of a home. */
export function sorted(checks: readonly AlertCheck[]): Checks {
  const once = (some: AlertCheck[]) => some.filter((one, at) => some.findIndex((other) => other.text === one.text) === at);
  const watched = checks.filter((one) => one.state !== "cannot");
  const unasked = checks.filter((one) => one.state === "cannot" && UNASKED.includes(one.why));
  const unsaid = checks.filter((one) => one.state === "cannot" && !UNASKED.includes(one.why));
  const kinds = new Set(watched.map((one) => one.kind)).size;
  const all = new Set([...watched, ...unsaid].map((one) => one.kind)).size;
  return { watched: once(watched), unsaid: once(unsaid), unasked: once(unasked), kinds, all };
}

const DEAD = ["silent", "stopped"];

/** Name the meters that tell nothing, or nothing but zeros: where one is so, nobody is told that all is well, unless the
 * household has said itself that it is no problem. */
export function deadMeters(tiles: readonly Tile[], found: readonly HomeAlert[]): string {
  const known = found.filter((one) => one.kind === "dead_meter" && one.state === "dismissed").map((one) => one.commodity);
  return tiles.filter((tile) => DEAD.includes(tile.state) && !known.includes(tile.commodity)).map(named).join(", ");
}

/** Say that nothing was found: by how many of the checks, which may be none. */
export function nothingFound({ kinds, all }: Checks, time: string, none: "now.nochecks" | "alerts.nochecks"): string {
  if (kinds === 0) return t(none);
  return kinds === all ? t("now.fine", { checks: kinds, time }) : t("now.finepart", { checks: kinds, all, time });
}
