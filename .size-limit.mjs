import { readdirSync, readFileSync } from "node:fs";

/**
 * What a browser has to load before someone can sign in: the entry chunk, what it imports statically (Vite lists both in
 * index.html), and the chunks of the sign-in pages, should they be apart.
 */
const html = readFileSync("web/dist/index.html", "utf8");
const inPage = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1]);
const ofSignIn = readdirSync("web/dist/assets")
  .filter((file) => /^(?:auth|login|register)[\w-]*\.js$/.test(file))
  .map((file) => `assets/${file}`);

export default [
  {
    name: "JavaScript before login (brotli)",
    path: [...new Set([...inPage, ...ofSignIn])].map((file) => `web/dist/${file}`),
    limit: "40 kB",
  },
];
