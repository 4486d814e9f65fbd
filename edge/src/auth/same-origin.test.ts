import { describe, expect, test } from "vitest";
import { isSameOrigin } from "./same-origin.ts";

describe("[AUTH14] a page may use the cookie routes only from the same origin", () => {
  test.each([
    ["http://localhost:8787", "http://localhost:8787/api/auth/refresh"],
    ["https://chat.example", "https://chat.example/api/auth/refresh"],
    // A proxy that ends TLS hands the request on as http.
    ["https://chat.example", "http://chat.example/api/auth/refresh"],
    ["https://chat.example:8443", "http://chat.example:8443/api/auth/refresh"],
  ])("%s may ask %s", (origin, url) => {
    expect(isSameOrigin(origin, url)).toBe(true);
  });

  test.each([
    ["https://evil.example", "https://chat.example/api/auth/refresh"],
    ["https://sub.chat.example", "https://chat.example/api/auth/refresh"],
    ["https://chat.example.evil.example", "https://chat.example/api/auth/refresh"],
    ["http://localhost:3000", "http://localhost:8787/api/auth/refresh"],
    ["http://chat.example", "https://chat.example/api/auth/refresh"],
    ["file://chat.example", "http://chat.example/api/auth/refresh"],
    ["null", "http://localhost:8787/api/auth/refresh"],
    ["", "http://localhost:8787/api/auth/refresh"],
  ])("%j may not ask %s", (origin, url) => {
    expect(isSameOrigin(origin, url)).toBe(false);
  });
});
