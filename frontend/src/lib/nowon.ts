// Why today has no won, by what the tiles say of themselves; the server's first view says it by the same rule (home_first.py).

import type { Tile } from "./answers.ts";
import { t, told } from "./say.ts";

const KNOWN = ["not_agreed", "no_card", "no_price", "lacks"];

/** Tell whether a tile has a figure of today without won; what stands still has a sentence of its own. */
export function priceless(tile: Tile): boolean {
  return tile.use !== null && tile.won === null && tile.state !== "stopped" && tile.state !== "none" && tile.state !== "new";
}

/** Name a reason for which there are words. */
export function reasonOf(tile: Tile): string {
  return KNOWN.includes(tile.won_reason ?? "") ? (tile.won_reason ?? "") : "other";
}

/** Say why a home has no won today; `alike`: the sentence holds for every tile without won, which need not say it again. */
export function whyless(tiles: readonly Tile[]): { text: string; alike: boolean } {
  const reasons = new Set(tiles.filter(priceless).map(reasonOf));
  if (reasons.size === 0) return { text: t(tiles.some((tile) => tile.state !== "none") ? "now.noreading" : "now.nometers"), alike: false };
  const [only] = reasons;
  return reasons.size === 1 && only !== undefined ? { text: told("nowon", only), alike: true } : { text: t("now.nowon"), alike: false };
}
