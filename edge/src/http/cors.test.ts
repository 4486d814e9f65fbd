import { describe, expect, test } from "vitest";
import { allowReading, mayAskFrom, preflight } from "./cors.ts";

const env = { CORS_ORIGINS: "https://client.example, http://localhost:5173" };
const url = "https://chat.example/api/users/@me";
function asks(origin: string, method = "OPTIONS"): Request {
  const headers = { origin, "access-control-request-method": "PATCH" };
  return new Request(url, { method, headers });
}

describe("[CORS1] another origin's page may ask only if the operator names it, exactly", () => {
  test.each(["https://client.example", "http://localhost:5173"])("%s may", (origin) => {
    expect(mayAskFrom(origin, env)).toBe(true);
    const answer = preflight(asks(origin), env);
    expect(answer?.status).toBe(204);
    if (answer !== undefined) allowReading(answer, asks(origin), env);
    expect(answer?.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer?.headers.get("access-control-allow-credentials")).toBe("true");
    expect(answer?.headers.get("vary")).toBe("Origin");
  });

  test.each([
    "https://evil.example",
    "https://client.example.evil.example",
    "https://sub.client.example",
    "http://client.example",
    "https://client.example:8443",
    "https://CLIENT.example",
    "null",
    "*",
    "",
  ])("%j may not", (origin) => {
    expect(mayAskFrom(origin, env)).toBe(false);
    expect(preflight(asks(origin), env)).toBeUndefined();
    const answer = new Response("{}");
    allowReading(answer, asks(origin, "GET"), env);
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("without the setting nobody may, and nothing is said", () => {
    const answer = new Response("{}");
    allowReading(answer, asks("https://client.example", "GET"), {});
    expect([answer.headers.get("vary"), answer.headers.get("access-control-allow-origin")]).toEqual([null, null]);
    expect(preflight(asks("https://client.example"), {})).toBeUndefined();
  });

  test.each(["*", "https://client.example/", "client.example", "https://client.example/path"])(
    "%s is no origin, and is told instead of taken",
    (setting) => {
      expect(() => mayAskFrom("https://client.example", { CORS_ORIGINS: setting })).toThrow(/CORS_ORIGINS/);
    },
  );
});
