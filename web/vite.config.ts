import { defineConfig, type Plugin } from "vite";
import { emojiNames } from "./vite-emoji.ts";

/** Where the edge listens while the client is developed with `npm run dev`. */
const EDGE_URL = "http://localhost:8787";

/** What the contract says of its routes in words is for the OpenAPI document: 1 kB, compressed, of what is loaded before sign-in. */
const withoutSummaries: Plugin = {
  name: "without-summaries",
  transform: {
    filter: { id: /protocol\/src\/(?:operator-)?rest\.ts$/ },
    handler: (code) => code.replaceAll(/\bsummary: "[^"]*",/g, ""),
  },
};

/** What the first page needs of the contract, and the parts of its form. */
const CONTRACT =
  /protocol\/src\/(rest|instance|entities|permissions|ids|limits|device-list|errors|handoff|keys|ciphertext|vault|voice)\.ts$/;
const FORM = /web\/src\/(app\/(errors|task|second-factor|language-switch|link-secret)|ui\/(field|notice))\.tsx?$/;

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [emojiNames(), withoutSummaries],
  build: {
    target: ["chrome123", "firefox128", "safari17.5"],
    // The policy that the edge sends allows files of this origin only: nothing is inlined as a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      output: {
        // These are one file: split by who else uses which part, it compresses worse.
        codeSplitting: {
          groups: [
            {
              name: "first",
              test: (id) => CONTRACT.test(id) || FORM.test(id),
            },
          ],
        },
      },
    },
  },
  // A module: what it imports on demand stays in chunks of its own.
  worker: { format: "es" },
  server: {
    proxy: {
      "/api": EDGE_URL,
      "/health": EDGE_URL,
      "/socket.io": { target: EDGE_URL, ws: true },
    },
  },
});
