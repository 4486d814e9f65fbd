import { defineConfig } from "vitest/config";

/** Needs a Docker engine, which CI lacks, and is therefore no part of `npm test`: `npm run test:containers`. */
export default defineConfig({
  test: {
    name: "containers",
    include: ["tests/containers/**/*.test.ts"],
    environment: "node",
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
