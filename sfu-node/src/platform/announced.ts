import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";

export type Lookup = (host: string, options: { family: 4 | 6 }) => Promise<LookupAddress>;

/**
 * SFU_LISTEN with host names behind a `=` replaced by their address: browsers are told addresses, for not all of them look up names of candidates.
 * Rejects with one line that names the host when it has none of the family that is listened on.
 */
export async function resolveAnnounced(listen: string, look: Lookup = lookup): Promise<string> {
  const entries = await Promise.all(
    listen.split(",").map(async (entry) => {
      const [ip = "", announced = ""] = entry.split("=").map((part) => part.trim());
      if (announced === "" || isIP(announced) !== 0) return entry;
      const family = isIPv6(ip) ? 6 : 4;
      try {
        return `${ip}=${(await look(announced, { family })).address}`;
      } catch (cause) {
        throw new Error(
          `SFU_LISTEN: ${announced} has no IPv${family} address: point its DNS record at this machine, or write the address itself`,
          { cause },
        );
      }
    }),
  );
  return entries.join(",");
}
