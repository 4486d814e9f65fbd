/** The page's end of the encryption of calls: starts the worker, hands it tracks, and carries key messages to and from the device's sessions. */
import type { CallRoster } from "@lescopains/e2ee/frames/call-keys";
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";
import type { Member } from "@lescopains/e2ee/frames/member";
import { safetyCode } from "@lescopains/e2ee/frames/safety-code";
import { webCryptoSha512 } from "@lescopains/e2ee/safety-number/sha512";
import type { UserId } from "@lescopains/protocol/ids";
import type { CallDevice } from "../../keys/port.ts";
import type { CallKeysPort } from "../call-keys-port.ts";
import { isEncrypted } from "./guard.ts";
import type { FromPage, FromWorker, Keyed, TrackCounts, TrackUse } from "./link.ts";

/** How a browser lends frames: `script` is the standard, `streams` what Chromium had before. */
export type FrameApi = "script" | "streams";

/** What this browser can do; undefined: it cannot encrypt frames and may not join, since what it sent would be readable. */
export function frameApi(): FrameApi | undefined {
  if ("RTCRtpScriptTransform" in globalThis) return "script";
  if ("RTCRtpSender" in globalThis && "createEncodedStreams" in RTCRtpSender.prototype) return "streams";
  return undefined;
}

/** One stay in an encrypted call. */
export interface FrameCrypto {
  /** For every `RTCPeerConnection` of this call. */
  readonly connectionOptions: RTCConfiguration;
  /** The members, whenever they change, from the first list on that names this stay: one that does not ends it. */
  readonly roster: (roster: CallRoster) => void;
  /**
   * In the same turn in which the sender came to be, be it by `addTransceiver` or by `setRemoteDescription`. Later, Chromium never runs the
   * transform, and everything leaves in the clear: that is noticed, and ends the stay.
   */
  readonly attachSender: (sender: RTCRtpSender, role: TrackRole, codec: FrameCodec) => void;
  /**
   * In the same turn, too: in `ontrack` it is too late. The track stays disabled until a frame of it was authentic, since what cannot be
   * decrypted would be heard as noise. `joinId`: the stay of whoever sends.
   */
  readonly attachReceiver: (receiver: RTCRtpReceiver, role: TrackRole, joinId: string) => void;
  /** 30 digits that all members see alike; undefined while somebody's key is missing. */
  readonly safetyCode: () => Promise<string | undefined>;
  /** Of every attached track that still runs; none once it was closed. */
  readonly counts: () => Promise<readonly TrackCounts[]>;
  /** Ends the stay; whatever was attached passes nothing any more. */
  readonly close: () => void;
}

export interface FramesOptions {
  readonly callId: string;
  readonly self: Member;
  readonly keys: CallKeysPort;
  /** `frameApi()`, which see. */
  readonly api: FrameApi;
  /** A key came or went: the safety code may be another one. */
  readonly onKeyed?: () => void;
  /** Whether frames of a member's track can be read. Nothing is told before the first frame. */
  readonly onOpens?: (joinId: string, role: TrackRole, opens: boolean) => void;
  /** The stay ended without `close`: this device is no longer in the call, the worker failed, or frames went past it. */
  readonly onOver: () => void;
}

interface StreamsEnd {
  readonly createEncodedStreams: () => { readonly readable: ReadableStream; readonly writable: WritableStream };
}

export function startFrames(options: FramesOptions): FrameCrypto {
  const { callId, self, keys, api } = options;
  const worker = new Worker(new URL("./frame-worker.ts", import.meta.url), { type: "module", name: "frames" });
  /** Received tracks by their number, until their first frame opens. */
  const silent = new Map<number, MediaStreamTrack>();
  const counting = new Map<number, (counts: readonly TrackCounts[]) => void>();
  let lastCountsId = 0;
  let lastTrackId = 0;
  let keyed: Keyed | undefined;
  let isOver = false;
  let isClosed = false;

  function post(message: FromPage, transfer: Transferable[] = []): void {
    worker.postMessage(message, transfer);
  }

  /** True the first time. */
  function end(): boolean {
    const isFirst = !isOver;
    isOver = true;
    keyed = undefined;
    stopListening();
    return isFirst;
  }

  function over(): void {
    if (end()) options.onOver();
  }

  function close(): void {
    end();
    isClosed = true;
    for (const resolve of counting.values()) resolve([]);
    counting.clear();
    post({ kind: "close" });
  }

  function fail(): void {
    over();
    close();
  }

  function receive(message: FromWorker): void {
    switch (message.kind) {
      case "send":
        // As if it was lost: whoever misses it asks.
        keys.send(message.to.map(deviceOf), message.body, message.anew).catch(() => undefined);
        break;
      case "keyed":
        keyed = message.keyed;
        options.onKeyed?.();
        break;
      case "opens":
        if (message.opens) unsilence(message.id);
        options.onOpens?.(message.joinId, message.role, message.opens);
        break;
      case "counts":
        counting.get(message.id)?.(message.counts);
        counting.delete(message.id);
        break;
      case "over":
        over();
    }
  }

  function unsilence(id: number): void {
    const track = silent.get(id);
    if (track !== undefined) track.enabled = true;
    silent.delete(id);
  }

  /** Answers the track's number. */
  function attach(to: RTCRtpSender | RTCRtpReceiver, use: TrackUse): number {
    lastTrackId += 1;
    const track = { ...use, id: lastTrackId };
    if (api === "script") to.transform = new RTCRtpScriptTransform(worker, track);
    else {
      const { readable, writable } = (to as unknown as StreamsEnd).createEncodedStreams();
      post({ kind: "attach", track, readable, writable }, [readable, writable]);
    }
    return track.id;
  }

  async function counts(): Promise<readonly TrackCounts[]> {
    if (isClosed) return [];
    lastCountsId += 1;
    const id = lastCountsId;
    return await new Promise((resolve) => {
      counting.set(id, resolve);
      post({ kind: "counts", id });
    });
  }

  async function guard(sender: RTCRtpSender, trackId: number): Promise<void> {
    const wentThrough = async () => (await counts()).some(({ id, passed }) => id === trackId && passed > 0);
    if (await isEncrypted(sender, wentThrough, () => isOver)) return;
    console.error("frames: a track went past its encryption and was stopped");
    // A connection that was closed meanwhile sends nothing.
    await sender.replaceTrack(null).catch(() => undefined);
    fail();
  }

  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => receive(data));
  worker.addEventListener("error", fail);
  const stopListening = keys.onMessage(({ userId, deviceId }, body) => {
    post({ kind: "message", from: { accountId: userId, deviceId }, body });
  });
  post({ kind: "start", callId, self });

  return {
    connectionOptions: (api === "streams" ? { encodedInsertableStreams: true } : {}) as RTCConfiguration,
    roster: (roster) => post({ kind: "roster", roster }),
    attachSender(sender, role, codec) {
      void guard(sender, attach(sender, { direction: "send", role, codec }));
    },
    attachReceiver(receiver, role, joinId) {
      receiver.track.enabled = false;
      silent.set(attach(receiver, { direction: "receive", role, joinId }), receiver.track);
    },
    async safetyCode() {
      const now = keyed;
      if (now === undefined) return undefined;
      const known = await keys.identities([...new Set(now.members.map(({ accountId }) => accountId as UserId))]);
      const members = now.members.flatMap((member) => {
        const identityKey = known.get(member.accountId as UserId);
        return identityKey === undefined ? [] : [{ ...member, identityKey }];
      });
      if (members.length < now.members.length) return undefined;
      return await safetyCode(callId, now.epoch, members, webCryptoSha512(crypto.subtle));
    },
    counts,
    close,
  };
}

function deviceOf({ accountId, deviceId }: { readonly accountId: string; readonly deviceId: number }): CallDevice {
  return { userId: accountId as UserId, deviceId };
}
