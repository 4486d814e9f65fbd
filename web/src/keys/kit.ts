import type { Platform } from "@lescopains/e2ee/platform";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import type { Api } from "../net/rest.ts";
import type { Socket } from "../net/socket.ts";
import type { Clock, Locks } from "../sync/ports.ts";
import {
  type KeysAnswer,
  KeysError,
  type KeysEvent,
  type KeysEvents,
  type KeysQuestion,
  type KeysRefusal,
  type KeysRequest,
} from "./port.ts";
import type { Store } from "./store/store.ts";
import { ApiError, asApiError } from "../net/api-error.ts";

/** What changed here, for the other tabs of this browser: they read it again and show it. */
export type Change =
  | { readonly kind: "messages"; readonly channelId: ChannelId; readonly ids: readonly MessageId[] }
  | { readonly kind: "channel"; readonly channelId: ChannelId }
  | { readonly kind: "pending"; readonly channelId: ChannelId }
  | { readonly kind: "peer"; readonly userId: UserId }
  | { readonly kind: "device" }
  /** What came for a call, which may be held in another tab than the one that read it. */
  | { readonly kind: "call"; readonly message: KeysEvents["call:message"] }
  | { readonly kind: "vault" }
  /** Messages came back from elsewhere: what is shown is read anew. */
  | { readonly kind: "reset" }
  | { readonly kind: "forgotten" };

/** The world, as the parts of the device see it. */
export interface Kit {
  readonly selfId: UserId;
  readonly store: Store;
  /** The page's connection. Both throw ApiError. */
  readonly server: { readonly call: Api["call"]; readonly emit: Socket["emit"] };
  readonly platform: Platform;
  readonly subtle: SubtleCrypto;
  readonly clock: Clock;
  readonly locks: Locks;
  /** A number that was never given before: marks what changed, so that only the change that was saved counts as saved. */
  readonly mark: () => number;
  readonly tell: <N extends KeysEvent>(name: N, event: KeysEvents[N]) => void;
  readonly share: (change: Change) => void;
  /** True while the socket is connected and speaks for this device. */
  readonly connected: () => boolean;
}

/** Those whose names begin so. */
export type Topic<T extends string> = Extract<KeysRequest, `${T}:${string}`>;

/** What answers some of the page's questions. */
export type Answers<N extends KeysRequest> = {
  readonly [Name in N]: (question: KeysQuestion<Name>) => Promise<KeysAnswer<Name>>;
};

/** A refusal of the server, or of ours, as it crosses the port. */
export function asRefusal(thrown: unknown): KeysRefusal {
  if (thrown instanceof KeysError) return thrown.refusal;
  if (!(thrown instanceof ApiError)) {
    console.error("keys", thrown);
    return { code: "internal", message: String(thrown) };
  }
  const { code, message, retryAfterMs } = asApiError(thrown);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (code === "unavailable") return { code: "offline", message, ...wait };
  return { code: "refused", message, server: code, ...wait };
}

/** What the world does and no bug: no network, a device that ended meanwhile. It is tried again by itself. */
export function isWorldly(error: unknown): boolean {
  return error instanceof ApiError || (error instanceof KeysError && error.code === "not_ready");
}

export function refusal(code: KeysRefusal["code"], message: string): KeysError {
  return new KeysError({ code, message });
}
