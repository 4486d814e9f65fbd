import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import "reflect-metadata";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";

const dayMs = 24 * 60 * 60_000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A self-signed certificate for localhost that began `age` days ago and ends `days` and a half from now, as PEM. */
async function certificateFor(days: number, age: number): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "01",
      name: "CN=localhost",
      notBefore: new Date(Date.now() - age * dayMs),
      // In the middle of a day: tests count whole ones.
      notAfter: new Date(Date.now() + (days + 0.5) * dayMs),
      signingAlgorithm: algorithm,
      keys,
    },
    crypto,
  );
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: made.toString("pem"), key };
}

/** An https server on localhost with such a certificate; it answers 200 to everything. */
export async function serveTls(days: number, age = 400) {
  const pair = await certificateFor(days, age);
  const server: Server = createServer(pair, (_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, server, cert: pair.cert };
}
