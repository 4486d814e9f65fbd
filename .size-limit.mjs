import { readdirSync, readFileSync } from "node:fs";

/**
 * What a browser has to load before someone can sign in: the scripts and preloads of index.html, the chunks of the sign-in
 * pages, and everything that these import statically.
 */
const folder = "web/dist/assets";
const html = readFileSync("web/dist/index.html", "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => `web/dist/${match[1]}`);
const signIn = readdirSync(folder).filter((file) => /^(?:auth|login|register)[\w-]*\.js$/.test(file));
const files = new Set([...scripts, ...signIn.map((file) => `${folder}/${file}`)]);
for (const file of files) {
  for (const [, chunk] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) {
    files.add(`${folder}/${chunk}`);
  }
}

export default [{ name: "JavaScript before login (brotli)", path: [...files], limit: "40 kB" }];
