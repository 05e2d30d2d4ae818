// Builds the resident's page into the package: hashed files, a list of them for the server, and the worker that keeps them.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const WORKER = "sw.js";
/** What of others is in the built script; their licences ask that their notices go with it. */
const BUNDLED = ["svelte/LICENSE.md", "uplot/LICENSE", "esm-env/LICENSE", "clsx/license"];
const NOTICES = "licences.txt";
const FIRST = /node_modules\/(svelte|esm-env|clsx)\/|src\/lib\/(?!bars)|src\/parts\/(Icon|Kept)/;

/** Tell the worker which files to keep; its own bytes change whenever one of them does, so that browsers take it anew. */
function listed(): Plugin {
  return {
    name: "listed",
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => name !== WORKER && !name.endsWith(".json")).sort();
      const notices = BUNDLED.map((name) => `${name.split("/")[0]}\n\n${readFileSync(`node_modules/${name}`, "utf-8")}`);
      this.emitFile({ type: "asset", fileName: NOTICES, source: notices.join("\n\n") });
      const worker = bundle[WORKER];
      if (worker?.type !== "chunk") throw new Error("the worker is missing");
      if (/^\s*(import|export)\b/m.test(worker.code)) throw new Error("the worker must stand alone");
      const digest = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 16);
      const code = worker.code.replace(/["'`]__FILES__["'`]/, JSON.stringify(files)).replace("__DIGEST__", digest);
      if (code === worker.code) throw new Error("the worker does not ask for the files");
      worker.code = code;
    },
  };
}

/** Lay what is sent to browsers beside itself, packed as well as can be: that is done once, and a phone's line is slow. */
function packed(): Plugin {
  return {
    name: "packed",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (dir === undefined || !/\.(js|css)$/.test(name)) continue;
        const path = join(dir, name);
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}

export default defineConfig({
  base: "/home/",
  plugins: [svelte(), listed(), packed()],
  build: {
    outDir: "../src/quintet/web/static/home",
    emptyOutDir: true,
    target: "es2022",
    manifest: "files.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { main: "src/main.ts", sw: "src/worker.ts" },
      output: {
        // few files at first: a browser opens six connections to one machine, and each round trip counts on a phone
        codeSplitting: { groups: [{ name: "base", test: FIRST }] },
        entryFileNames: (chunk) => (chunk.name === "sw" ? WORKER : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
