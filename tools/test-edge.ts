export {};

/** `npm run test:edge [-- <filter> …]`: the flows on `wrangler dev`, all of them; `npm test` runs some. */
process.env["FLOWS_ON_WRANGLER"] = "all";
process.argv.push("--project", "flows-wrangler");
await import("./test.ts");
