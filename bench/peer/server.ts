/**
 * The peer: what a good Node team would ship for the same job. One process, socket.io over ws, pg with a pool and
 * prepared statements, tokens verified at connect, memberships cached in memory, each message stored before it is
 * acknowledged. Started by `subjects/peer.ts`, to which it reports its port.
 *
 * PEER_ORDER says what follows the insert: `emit-first` (broadcast, then acknowledge: the order of socket.io's own
 * tutorial) or `ack-first`.
 */
import { createServer } from "node:http";
import type { Message } from "@lescopains/protocol/entities";
import { type UpAnswer, MessageSend } from "@lescopains/protocol/up";
import { jwtVerify, SignJWT } from "jose";
import { Pool, types } from "pg";
import { type DefaultEventsMap, Server } from "socket.io";
import { v7 } from "uuid";
import * as v from "valibot";
import { startPasswordPool } from "./passwords.ts";
import { accountOfSession, alive, credentialsByName, insertMessage, openSession, visibleChannels } from "./store.ts";

interface SocketData {
  readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
  readonly sessionId: string;
  readonly channelIds: ReadonlySet<string>;
}
interface ServerEvents {
  ready: (body: { user: SocketData["user"]; channels: string[]; sessionId: string }) => void;
  "message:new": (body: Message) => void;
  "presence:pong": () => void;
}
interface ClientEvents {
  "message:send": (body: unknown, ack: (answer: UpAnswer<"message:send">) => void) => void;
  "presence:ping": () => void;
}

const env = v.parse(
  v.object({ DATABASE_URL: v.string(), JWT_SECRET: v.string(), PEER_ORDER: v.picklist(["emit-first", "ack-first"]) }),
  process.env,
);
const accessTokenS = 900;

types.setTypeParser(types.builtins.INT8, Number);
types.setTypeParser(types.builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString());
const pool = new Pool({ connectionString: env.DATABASE_URL, max: 10, idleTimeoutMillis: 30_000 });
pool.on("error", (error) => console.error("postgres connection lost:", error.message));
const passwords = startPasswordPool();
const secret = Buffer.from(env.JWT_SECRET, "base64");

const http = createServer((request, response) => {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const fail = (error: unknown): void => {
    console.error(error);
    answer(500, { error: { code: "internal" } });
  };
  if (request.url === "/health") {
    pool.query(alive).then(() => answer(200, { status: "ok" }), fail);
  } else if (request.method === "POST" && request.url === "/api/auth/login") {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      login(Buffer.concat(chunks).toString("utf8")).then(([status, body]) => answer(status, body), fail);
    });
  } else answer(404, { error: { code: "not_found" } });
});

const Login = v.object({ username: v.string(), password: v.string() });

async function login(text: string): Promise<[status: number, body: unknown]> {
  const { username, password } = v.parse(Login, JSON.parse(text));
  const { rows } = await pool.query<{ id: string; username: string; passwordHash: string }>({
    ...credentialsByName,
    values: [username],
  });
  const [account] = rows;
  if (account === undefined || !(await passwords.matches(password, account.passwordHash))) {
    return [401, { error: { code: "invalid_credentials" } }];
  }
  const sessionId = v7();
  await pool.query({ ...openSession, values: [sessionId, account.id] });
  const accessToken = await new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(account.id)
    .setIssuedAt()
    .setExpirationTime(`${accessTokenS} s`)
    .sign(secret);
  return [200, { user: { id: account.id, username: account.username }, accessToken, expiresIn: accessTokenS }];
}

const io = new Server<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>(http, {
  serveClient: false,
  perMessageDeflate: false,
  maxHttpBufferSize: 65_536,
});

io.use(async (socket, next) => {
  try {
    socket.data = await admit(socket.handshake.auth["token"]);
  } catch (error) {
    return next(error instanceof Error ? error : new Error("refused"));
  }
  next();
});

/** What the token says, checked against the session and completed by what the person may view. */
async function admit(token: unknown): Promise<SocketData> {
  const { payload } = await jwtVerify(String(token), secret, { algorithms: ["HS256"] });
  const sessionId = String(payload["sid"]);
  const account = await pool.query<SocketData["user"]>({ ...accountOfSession, values: [sessionId, payload.sub] });
  const [user] = account.rows;
  if (user === undefined) throw new Error("the session has ended");
  const channels = await pool.query<{ id: string }>({ ...visibleChannels, values: [user.id] });
  return { user, sessionId, channelIds: new Set(channels.rows.map(({ id }) => id)) };
}

io.on("connection", (socket) => {
  const { user, sessionId, channelIds } = socket.data;
  const userId = user.id;
  void socket.join([...channelIds]);
  socket.emit("ready", { user, channels: [...channelIds], sessionId });

  const send = async (body: unknown, ack: (answer: UpAnswer<"message:send">) => void): Promise<void> => {
    const input = v.parse(MessageSend, body);
    if (!channelIds.has(input.channelId)) {
      return ack({ ok: false, error: { code: "not_found", message: "no such channel" } });
    }
    const { rows } = await pool.query<Message & { known: boolean }>({
      ...insertMessage,
      values: [
        v7(),
        input.channelId,
        userId,
        input.nonce,
        input.content,
        input.contentType,
        input.metadata === undefined ? null : JSON.stringify(input.metadata),
        input.encrypted,
        input.replyTo ?? null,
        input.threadId ?? null,
      ],
    });
    const [row] = rows;
    if (row === undefined) throw new Error("the message was not stored");
    const { known, ...message } = row;
    const { id, seq, createdAt } = message;
    if (env.PEER_ORDER === "ack-first") ack({ ok: true, id, seq, createdAt });
    if (!known) io.to(input.channelId).emit("message:new", message);
    if (env.PEER_ORDER === "emit-first") ack({ ok: true, id, seq, createdAt });
  };

  socket.on("message:send", (body, ack) => {
    send(body, ack).catch((error: unknown) => {
      const code = v.isValiError(error) ? "invalid_request" : "unavailable";
      ack({ ok: false, error: { code, message: error instanceof Error ? error.message : "failed" } });
    });
  });
  socket.on("presence:ping", () => socket.emit("presence:pong"));
});

// The bench is gone: so are we.
process.on("disconnect", () => process.exit());
http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  if (typeof address === "object" && address !== null) process.send?.({ port: address.port });
});
