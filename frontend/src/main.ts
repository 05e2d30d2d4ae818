// Begins: the words of the reader's language first, then the page.

import { mount } from "svelte";
import App from "./App.svelte";
import { forgetOthers } from "./lib/ask.ts";
import { frame } from "./lib/frame.ts";
import { speak } from "./lib/say.ts";
import "./page.css";

const WORDS = {
  ko: () => import("../../src/quintet/web/strings/home/ko.json"),
  en: () => import("../../src/quintet/web/strings/home/en.json"),
};

forgetOthers();
const words = await WORDS[frame.language]();
speak(frame.language, words.default);
const main = document.getElementById("home");
if (main !== null) {
  main.replaceChildren();
  mount(App, { target: main });
  main.dataset["ready"] = "";
}

/** Let the worker keep the page's files and this very page; without one the page works as well. */
async function settle(): Promise<void> {
  await navigator.serviceWorker.register("/home/sw.js", { scope: "/home" });
  const ready = await navigator.serviceWorker.ready;
  ready.active?.postMessage(location.pathname + location.search);
}

if ("serviceWorker" in navigator) setTimeout(() => void settle().catch(() => undefined), 1000);
