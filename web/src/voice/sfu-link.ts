import { ErrorBody } from "@lescopains/protocol/errors";
import type { ChannelId } from "@lescopains/protocol/ids";
import { SFU_EVENTS, type SfuEvent, type SfuEventBody } from "@lescopains/protocol/sfu/events";
import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import { SFU_REQUESTS, type SfuAnswer, type SfuRefused, type SfuRequest } from "@lescopains/protocol/sfu/requests";
import type { CloseReason, Snapshot } from "@lescopains/protocol/sfu/room";
import * as v from "valibot";
import { ApiError, unavailable } from "../net/api-error.ts";
import type { Clock } from "../sync/ports.ts";
import type { OpenSfuWire } from "./sfu-wire.ts";

/** What may be sent with a request, before its defaults are filled in. */
type SfuInput<R extends SfuRequest> = v.InferInput<(typeof SFU_REQUESTS)[R]["body"]>;
export type RoomEvent = Exclude<SfuEvent, "ready" | "closed">;

/** Why a room is no longer ours: the node said so, could not be reached for as long as it keeps a place, or refused the token. */
export type LinkEnd =
  | { readonly kind: "closed"; readonly reason: CloseReason; readonly channelId: ChannelId | undefined }
  | { readonly kind: "lost" }
  | { readonly kind: "refused"; readonly error: ApiError };

export interface SfuLinkEvents {
  /** Connected, for the first time or once more: the room as it is now. */
  readonly ready: (snapshot: Snapshot) => void;
  readonly event: <E extends RoomEvent>(name: E, body: SfuEventBody<E>) => void;
  /** Without a connection for now; media may well go on. */
  readonly away: () => void;
  /** For good. */
  readonly over: (end: LinkEnd) => void;
}

/** A conversation with the SFU node about one place in one room, which outlives its connections. */
export interface SfuLink {
  /** What is too much at once waits. @throws ApiError the refusal; `unavailable` without a connection or an answer. */
  readonly request: <R extends SfuRequest>(name: R, body: SfuInput<R>) => Promise<SfuAnswer<R>>;
  readonly close: () => void;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** A connection that does not come about is tried again. */
const READY_TIMEOUT_MS = 5_000;
const RETRY_MS = 500;

interface SfuLinkDeps {
  readonly url: string;
  readonly token: string;
  readonly openWire: OpenSfuWire;
  readonly clock: Clock;
}

export function openSfuLink({ url, token, openWire, clock }: SfuLinkDeps, events: SfuLinkEvents): SfuLink {
  let resumeKey: string | undefined;
  let ended = false;
  let connected = false;
  /** When the connection was lost, or first tried. */
  let awaySinceMs = clock.now();
  let cancel: (() => void) | undefined;
  /** Requests that were too many at once, and wait for their turn: as when one comes into a full room. */
  let queue: Promise<unknown> = Promise.resolve();

  const wire = openWire(url, {
    event: receive,
    lost: () => down(),
    refused(reason) {
      const parsed = v.safeParse(ErrorBody, { message: "", ...(reason as object) });
      const error = parsed.success ? new ApiError(parsed.output) : unavailable("the node refused without a reason");
      if (error.retry && error.code !== "node_draining") down(error.retryAfterMs);
      else end({ kind: "refused", error });
    },
  });

  function end(how: LinkEnd): void {
    if (ended) return;
    close();
    events.over(how);
  }

  function close(): void {
    ended = true;
    cancel?.();
    wire.close();
  }

  function down(delayMs = RETRY_MS): void {
    if (ended) return;
    const wasConnected = connected;
    if (wasConnected) {
      connected = false;
      awaySinceMs = clock.now();
      events.away();
    }
    cancel?.();
    // The node gives a place up after this long; before, nobody else can have it.
    if (clock.now() + delayMs - awaySinceMs > SFU_PERIODS.resumeMs) end({ kind: "lost" });
    else cancel = clock.after(wasConnected ? 0 : delayMs, open);
  }

  function open(): void {
    wire.open(resumeKey === undefined ? { token } : { token, resumeKey });
    cancel = clock.after(READY_TIMEOUT_MS, () => {
      wire.close();
      down(0);
    });
  }

  function receive(name: string, raw: unknown): void {
    const schema = Object.hasOwn(SFU_EVENTS, name) ? SFU_EVENTS[name as SfuEvent] : undefined;
    if (schema === undefined || ended) return;
    const parsed = v.safeParse(schema, raw);
    if (!parsed.success) {
      console.warn(
        `dropped a ${name} that is not as the contract says`,
        parsed.issues.map((issue) => v.getDotPath(issue)),
      );
      return;
    }
    if (name === "closed") {
      const { reason, channelId } = parsed.output as SfuEventBody<"closed">;
      end({ kind: "closed", reason, channelId });
    } else if (name === "ready") {
      cancel?.();
      connected = true;
      const snapshot = parsed.output as Snapshot;
      ({ resumeKey } = snapshot);
      events.ready(snapshot);
    } else {
      events.event(name as RoomEvent, parsed.output as never);
    }
  }

  async function ask<R extends SfuRequest>(name: R, body: SfuInput<R>): Promise<SfuAnswer<R>> {
    let raw: unknown;
    try {
      raw = await wire.request(name, body, ANSWER_TIMEOUT_MS);
    } catch (cause) {
      // A node that answers nothing on a connection that seems to be there: another one tells what it has heard.
      if (connected && !ended) {
        wire.close();
        down(0);
      }
      throw unavailable(`${name} was not answered`, cause);
    }
    const refusal = raw as v.InferInput<typeof SfuRefused> | { readonly ok: true } | null;
    if (refusal?.ok === false) {
      const parsed = v.safeParse(ErrorBody, refusal.error);
      throw parsed.success ? new ApiError(parsed.output) : unavailable(`${name} was refused without a reason`);
    }
    const parsed = v.safeParse(SFU_REQUESTS[name].answer, raw);
    if (!parsed.success) throw unavailable(`${name} was not answered as the contract says`);
    return parsed.output;
  }

  /** Asks again what was too much at once, until it is not. */
  async function askLater<R extends SfuRequest>(name: R, body: SfuInput<R>, waitMs: number): Promise<SfuAnswer<R>> {
    await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    try {
      return await ask(name, body);
    } catch (error) {
      return await askLater(name, body, waitOf(error));
    }
  }

  open();
  return {
    async request(name, body) {
      try {
        return await ask(name, body);
      } catch (error) {
        const waitMs = waitOf(error);
        // One after the other, as the node's bucket fills: all at once again would be a flood.
        const turn = queue.then(() => askLater(name, body, waitMs));
        queue = turn.catch(() => undefined);
        return await turn;
      }
    },
    close,
  };
}

/** How long to wait before it is asked again, in milliseconds. @throws the error itself when that is of no use. */
function waitOf(error: unknown): number {
  if (error instanceof ApiError && error.code === "rate_limited") return error.retryAfterMs ?? RETRY_MS;
  throw error;
}
