import { OperatorError } from "../operator-error.ts";

/**
 * An address of this installation as people write it, without the port that https has anyway. LESCOPAINS_URL is what docker-compose.yml makes of
 * DOMAIN and HTTPS_PORT. Throws an OperatorError when DOMAIN is no host name.
 */
export function publicUrl(path: string, base: string = process.env["LESCOPAINS_URL"] ?? ""): URL {
  const origin = URL.parse(base);
  // `https://https://example.org:443` and `https://example.org/:443` have a path.
  if (origin === null || `${origin.pathname}${origin.search}${origin.hash}${origin.username}` !== "/")
    throw new OperatorError("DOMAIN is no host name: write DOMAIN=example.org, one name without https:// and slashes");
  return new URL(path, origin);
}
