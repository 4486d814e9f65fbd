import type { Server as HttpServer } from "node:http";
import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { AddressBook } from "@lescopains/protocol/proxies";
import { SfuHandshake } from "@lescopains/protocol/sfu/requests";
import { Server, type Socket } from "socket.io";
import * as v from "valibot";
import { limitedAddress } from "../platform/address.ts";
import type { Logger } from "../platform/logger.ts";
import { type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { Link } from "../rooms/peer.ts";
import { requestIdOf, within } from "../platform/trace.ts";
import { nameOf } from "./http.ts";
import { logFields, type Session, type Sessions } from "./sessions.ts";

export interface SignalingOptions {
  readonly sessions: Sessions;
  readonly log: Logger;
  /** Pages of these origins may ask; that of the node itself always may. */
  readonly origins: readonly string[];
  /** Of TRUSTED_PROXY. */
  readonly addresses: AddressBook<string>;
}

/** What stays open without having joined for this long is closed. */
const connectTimeoutMs = 5_000;

/** Socket.IO on `/sfu/socket.io`: a connection is a place in a room, its events are requests. */
export function serveSockets(http: HttpServer, { sessions, log, origins, addresses }: SignalingOptions): Server {
  const io = new Server(http, {
    path: "/sfu/socket.io",
    serveClient: false,
    maxHttpBufferSize: SFU_LIMITS.requestBytes,
    connectTimeout: connectTimeoutMs,
    pingInterval: 10_000,
    pingTimeout: 10_000,
    httpCompression: false,
    cors: { origin: [...origins] },
  });
  const joined = new WeakMap<Socket, Session>();
  const admit = async (socket: Socket): Promise<Error | undefined> => {
    const handshake = v.safeParse(SfuHandshake, socket.handshake.auth);
    if (!handshake.success) return asError(refuse("unauthenticated", "auth must hold a room token"));
    try {
      const address = limitedAddress(socket.request, addresses);
      const session = await sessions.join({ ...handshake.output, address, overHttp: false });
      if (!session.ok) return asError(session);
      joined.set(socket, session.value);
      return undefined;
    } catch (error) {
      log.error("a join failed", error);
      return asError(refuse("internal", "something went wrong on our side"));
    }
  };
  io.use((socket, next) => {
    const requestId = nameOf(socket.request, { addresses });
    void within({ requestId }, async () => next(await admit(socket)));
  });
  io.on("connection", (socket) => {
    const session = joined.get(socket);
    if (session === undefined || session.peer.leftFor !== undefined) socket.disconnect(true);
    else serve(socket, session, sessions, log);
  });
  return io;
}

function serve(socket: Socket, session: Session, sessions: Sessions, log: Logger): void {
  const link: Link = {
    send: (event, body) => socket.emit(event, body),
    // After what is about to be sent in this turn: the answer to the request that brought it about.
    end: () => setImmediate(() => socket.disconnect(true)),
  };
  socket.onAny((name: string, ...args: readonly unknown[]) => {
    const last = args.at(-1);
    const answer = (body: object): void => {
      if (typeof last === "function") last(body);
    };
    const requestId = requestIdOf(undefined);
    const body = typeof args[0] === "function" ? undefined : args[0];
    within({ requestId, ...logFields(session) }, () => sessions.request(session, name, body))
      .then((outcome) => answer(outcome.ok ? { ok: true, ...outcome.value } : outcome))
      .catch((error: unknown) => {
        log.error("a request failed", error, { requestId, ...logFields(session), request: name.slice(0, 32) });
        const refused = refuse("internal", "something went wrong on our side");
        answer({ ...refused, error: { ...refused.error, requestId } });
      });
  });
  socket.on("disconnect", () => sessions.detach(session, link));
  sessions.attach(session, link);
}

/** What a refused client reads in `connect_error`: the code and when to come again. */
function asError({ error: { code, message, retryAfterMs } }: Refusal): Error {
  return Object.assign(new Error(message), { data: { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } });
}
