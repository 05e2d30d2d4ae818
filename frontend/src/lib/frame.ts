// What the server lays into the page: who reads, which home is shown, in which language.

export interface Frame {
  language: "ko" | "en";
  place: string | null;
  homes: string[];
  reader: { id: string; kind: "local" | "person" | "token"; name: string; roles: string[] };
}

const held = document.getElementById("frame")?.textContent;
export const frame: Frame = JSON.parse(held ?? "{}") as Frame;
