import { expect, test } from "vitest";
import { type Lookup, resolveAnnounced } from "./announced.ts";

const look: Lookup = async (host, { family }) => {
  const found = { "a.example": { 4: "203.0.113.5", 6: "2001:db8::5" } }[host]?.[family];
  if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  return { address: found, family };
};

test("[AN1] a name behind = becomes its address of the family that is listened on", async () => {
  expect(await resolveAnnounced("0.0.0.0=a.example, ::=a.example", look)).toBe("0.0.0.0=203.0.113.5,::=2001:db8::5");
});

test("[AN2] addresses and what is not announced stay as they are", async () => {
  for (const listen of ["", "127.0.0.1", "0.0.0.0=198.51.100.7", "::=2001:db8::1,10.0.0.1"]) {
    expect(await resolveAnnounced(listen, look)).toBe(listen);
  }
});

test("[AN3] a name without such an address is named", async () => {
  await expect(resolveAnnounced("0.0.0.0=b.example", look)).rejects.toThrow(/b\.example has no IPv4 address/);
});
