import { expect, test } from "vitest";
import { publicUrl } from "./public-url.ts";

test("[DK1] what people are told to open has the port of this installation, where it is not the usual one", () => {
  const link = "/operator/claim#secret";
  expect(publicUrl(link, "https://example.org:443").href).toBe("https://example.org/operator/claim#secret");
  expect(publicUrl(link, "https://example.org:8443").href).toBe("https://example.org:8443/operator/claim#secret");
});

test("[DK2] a DOMAIN that is no host name is told", () => {
  for (const domain of [
    "https://example.org",
    "example.org/",
    "example.org/chat",
    "me@example.org",
    "example.org:8443",
    "one.org, two.org",
    "exa mple.org",
    "example.org?",
    "#",
  ]) {
    expect(() => publicUrl("/", `https://${domain}:443`), domain).toThrow("DOMAIN is no host name");
  }
});
