/** What anyone can see of an installation: its certificate, the edge, the page, sockets. */
import { connect } from "node:tls";
import { io } from "socket.io-client";
import { OperatorError } from "../operator-error.ts";
import { fetchFrom, type Hop, reasonOf, timeoutMs } from "./installation.ts";

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** Caddy renews a certificate of 90 days 30 days before its end, and those that its own authority gives (12 hours) 4 hours before. */
const least = ({ beginsAt, endsAt }: Certificate): number => {
  const lifeMs = endsAt.getTime() - beginsAt.getTime();
  return lifeMs < dayMs ? lifeMs / 6 : 7 * dayMs;
};

interface Certificate {
  readonly beginsAt: Date;
  readonly endsAt: Date;
  /** Why browsers would not trust it; null: they do. */
  readonly distrust: string | null;
}

/** Whole days, or hours: those of Caddy's own authority live for no day. */
const inWords = (ms: number): string =>
  ms < 2 * dayMs ? `${Math.floor(ms / hourMs)} hours` : `${Math.floor(ms / dayMs)} days`;

function certificateOf({ hostname, port }: URL): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    // It is looked at, not relied on: a bad one must be told apart from none.
    const socket = connect({
      host,
      port: Number(port || 443),
      servername: host,
      rejectUnauthorized: false,
      timeout: timeoutMs,
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once("secureConnect", () => {
      const { valid_from: begin, valid_to: end } = socket.getPeerCertificate();
      const distrust = socket.authorized ? null : String(socket.authorizationError);
      socket.destroy();
      resolve({ beginsAt: new Date(begin), endsAt: new Date(end), distrust });
    });
    socket.once("timeout", () => fail(new Error("no answer")));
    socket.once("error", fail);
  });
}

export const certificate: Hop = async ({ url }) => {
  if (!url.startsWith("https:")) return { note: `none: ${url} is not https, which is for this machine alone` };
  let found: Certificate;
  try {
    found = await certificateOf(new URL(url));
  } catch (cause) {
    throw new OperatorError(
      `No TLS at ${url} (${reasonOf(cause)}): does the name lead to this machine, are ports 80 and 443 open, is Caddy running?`,
      { cause },
    );
  }
  const leftMs = found.endsAt.getTime() - Date.now();
  if (leftMs < least(found)) {
    throw new OperatorError(
      `The certificate ${leftMs < 0 ? "has ended" : `ends in ${inWords(leftMs)}`}: Caddy's log says why it is not renewed; ports 80 and 443 must be reachable`,
    );
  }
  if (found.distrust !== null) {
    throw new OperatorError(
      `Browsers do not trust the certificate (${found.distrust}): set DOMAIN to a name of yours, or give your devices Caddy's root certificate (here: NODE_EXTRA_CA_CERTS)`,
    );
  }
  return `trusted, and valid for ${inWords(leftMs)} more`;
};

export const edge: Hop = async ({ url }) => {
  const response = await fetchFrom(`${url}/health`);
  const body = await response.text();
  if (!response.ok)
    throw new OperatorError(`/health answers ${response.status} ${body.slice(0, 300)}: start with the check it names`);
  return `${url}/health says ${body}`;
};

export const webClient: Hop = async ({ url }) => {
  const response = await fetchFrom(`${url}/`);
  const type = response.headers.get("content-type") ?? "no content type";
  await response.body?.cancel();
  if (!response.ok || !type.startsWith("text/html")) {
    throw new OperatorError(
      `/ answers ${response.status} (${type}): build the web client again, by restarting \`npm start\` or with a new image`,
    );
  }
  return "the page is served";
};

/** A socket with a token that cannot be right: the refusal comes from the gateway actor, so every hop up to it works. */
export const socket: Hop = ({ url }) =>
  new Promise((done, fail) => {
    const client = io(url, {
      auth: { token: "doctor" },
      transports: ["websocket"],
      reconnection: false,
      timeout: timeoutMs,
    });
    const end = (settle: () => void): void => {
      client.disconnect();
      settle();
    };
    client.once("connect", () =>
      end(() => fail(new OperatorError("The gateway takes any token: check JWT_SECRET, and stop LesCopains now"))),
    );
    client.once("connect_error", (error: Error & { data?: { code?: unknown } }) => {
      if (error.data?.code === "unauthenticated") return end(() => done("the gateway answers over a WebSocket"));
      const advice = "does a proxy in front pass on WebSockets for /socket.io/?";
      return end(() => fail(new OperatorError(`The socket does not connect (${reasonOf(error)}): ${advice}`)));
    });
  });
