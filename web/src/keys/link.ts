/** What goes between the page and its worker, beneath the port: questions, answers, events, and the worker's way to the server. */
import type { UserId } from "@lescopains/protocol/ids";
import type { ErrorBody } from "@lescopains/protocol/errors";
import type { Feed } from "./keys.ts";
import type { KeysEvent, KeysEvents, KeysRefusal, KeysRequest } from "./port.ts";

export type FromPage =
  | { readonly kind: "start"; readonly selfId: UserId; readonly deviceName: string }
  | { readonly kind: "ask"; readonly id: number; readonly name: KeysRequest; readonly question: unknown }
  | { readonly kind: "feed"; readonly name: keyof Feed; readonly body: unknown }
  /** The server's answer to the worker's `id`-th request. */
  | { readonly kind: "served"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "unserved"; readonly id: number; readonly error: ErrorBody }
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly refusal: KeysRefusal }
  | {
      readonly [N in KeysEvent]: { readonly kind: "event"; readonly name: N; readonly event: KeysEvents[N] };
    }[KeysEvent]
  | { readonly kind: "call"; readonly id: number; readonly name: string; readonly args: unknown }
  | { readonly kind: "emit"; readonly id: number; readonly event: string; readonly body: unknown };
