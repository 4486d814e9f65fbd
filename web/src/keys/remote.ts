/** The page's end of the port: starts the worker, asks it, and lends it the connection. */
import type { UserId } from "@lescopains/protocol/ids";
import { asApiError } from "../net/api-error.ts";
import type { Api } from "../net/rest.ts";
import type { Socket } from "../net/socket.ts";
import type { Feed } from "./keys.ts";
import type { FromPage, FromWorker } from "./link.ts";
import { KeysError, type KeysEvent, type KeysEvents, type KeysPort } from "./port.ts";

/** The port, and what feeds it. */
export interface RemoteKeys extends KeysPort {
  readonly feed: <N extends keyof Feed>(name: N, body: Feed[N]) => void;
  readonly close: () => void;
}

/** A worker, or what stands for it in a test. */
export interface KeysWorker {
  readonly post: (message: FromPage) => void;
  readonly terminate: () => void;
}

export interface RemoteDeps {
  readonly selfId: UserId;
  readonly deviceName: string;
  readonly api: Api;
  readonly socket: Pick<Socket, "emit">;
  readonly openWorker: (receive: (message: FromWorker) => void) => KeysWorker;
}

/** A worker of its own chunk. */
export function openKeysWorker(receive: (message: FromWorker) => void): KeysWorker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "keys" });
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => receive(data));
  return {
    post: (message) => worker.postMessage(message, {}),
    terminate: () => worker.terminate(),
  };
}

export function createRemoteKeys({ selfId, deviceName, api, socket, openWorker }: RemoteDeps): RemoteKeys {
  const listeners = new Map<KeysEvent, Set<(event: never) => void>>();
  const asked = new Map<
    number,
    { readonly resolve: (answer: never) => void; readonly reject: (error: KeysError) => void }
  >();
  let lastId = 0;
  let closed = false;

  const worker = openWorker(receive);
  worker.post({ kind: "start", selfId, deviceName });

  function receive(message: FromWorker): void {
    if (closed) return;
    switch (message.kind) {
      case "answer":
        asked.get(message.id)?.resolve(message.answer as never);
        asked.delete(message.id);
        break;
      case "refusal":
        asked.get(message.id)?.reject(new KeysError(message.refusal));
        asked.delete(message.id);
        break;
      case "event":
        for (const listener of listeners.get(message.name) ?? []) listener(message.event as never);
        break;
      case "call":
        void serve(message.id, async () => await api.call(message.name as never, message.args as never));
        break;
      case "emit":
        void serve(message.id, async () => await socket.emit(message.event as never, message.body as never));
    }
  }

  async function serve(id: number, ask: () => Promise<unknown>): Promise<void> {
    try {
      worker.post({ kind: "served", id, answer: await ask() });
    } catch (thrown) {
      const { code, message, details, retryAfterMs } = asApiError(thrown);
      const more = {
        ...(details === undefined ? {} : { details }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
      worker.post({ kind: "unserved", id, error: { code, message, ...more } });
    }
  }

  return {
    ask: (name, question) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        asked.set(lastId, { resolve: resolve, reject });
        worker.post({ kind: "ask", id: lastId, name, question });
      }),
    on<N extends KeysEvent>(name: N, listener: (event: KeysEvents[N]) => void) {
      const of = listeners.get(name) ?? new Set();
      listeners.set(name, of);
      of.add(listener);
      return () => void of.delete(listener);
    },
    feed: (name, body) => worker.post({ kind: "feed", name, body }),
    close() {
      closed = true;
      worker.post({ kind: "close" });
      // It ends by itself once its last write is through; whoever waits for it waits no more.
      for (const { reject } of asked.values()) reject(new KeysError({ code: "not_ready", message: "signed out" }));
      asked.clear();
    },
  };
}
