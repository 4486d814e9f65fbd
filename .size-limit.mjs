import { globSync, readdirSync, readFileSync } from "node:fs";
import { buildSync } from "esbuild";

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

/** Modules as one script, what they import included. */
function bundled(name, modules) {
  const outfile = `.cache/size/${name}.js`;
  buildSync({
    stdin: {
      contents: modules.map((file, index) => `export * as m${index} from ${JSON.stringify(`./${file}`)};`).join("\n"),
      resolveDir: ".",
    },
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
  });
  return outfile;
}

/** Every module of e2ee that is no test; what encrypts calls runs in a worker of its own. */
const engine = globSync("e2ee/src/**/*.ts").filter((file) => !/\.test\.ts$|\/(?:testing|frames)\//.test(file));

/** What holds the keys: the engine, its storage and what goes between; loaded after the first screen. */
const worker = readdirSync(folder).filter((file) => /^worker-[\w-]*\.js$/.test(file));

export default [
  { name: "JavaScript before login (brotli)", path: [...files], limit: "40 kB" },
  { name: "Worker of the keys (brotli)", path: worker.map((file) => `${folder}/${file}`), limit: "66 kB" },
  { name: "Encryption engine (brotli)", path: bundled("e2ee", engine), limit: "45 kB" },
  {
    name: "Worker of calls (brotli)",
    path: bundled("frames", ["web/src/voice/frames/frame-worker.ts"]),
    limit: "10 kB",
  },
];
