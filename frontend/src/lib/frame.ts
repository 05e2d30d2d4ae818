// What the server lays into the page: who reads, which home is shown, in which language.

import type { HomeNow } from "./answers.ts";

export interface Frame {
  language: "ko" | "en";
  place: string | null;
  homes: string[];
  reader: { id: string; kind: "local" | "person" | "token"; name: string; roles: string[] };
  /** Whether the city's own page is the reader's. */
  city: boolean;
}

const held = document.getElementById("frame")?.textContent;
export const frame: Frame = JSON.parse(held ?? "{}") as Frame;
const figures = document.getElementById("now")?.textContent;
/** Today's figures, where the server laid them into the page: as old as the page is, which a browser may have kept. */
export const laid: HomeNow | null = figures === undefined || figures === null ? null : (JSON.parse(figures) as HomeNow);
