/** What goes between the page and the worker that encrypts frames. Both are of one build and one origin. */
import type { CallRoster, KeyedMember } from "@lescopains/e2ee/frames/call-keys";
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";
import type { Member } from "@lescopains/e2ee/frames/member";
import type { DropReason } from "@lescopains/e2ee/frames/receiver";
import type { Address } from "@lescopains/e2ee/session/address";

/** What a track is in the call. `codec` counts where the browser does not say with which a frame was made. */
export type TrackUse =
  | { readonly direction: "send"; readonly role: TrackRole; readonly codec: FrameCodec }
  /** `joinId`: the stay of whoever sends it. */
  | { readonly direction: "receive"; readonly role: TrackRole; readonly joinId: string };

/** A track as it is attached; the page numbers them. */
export type AttachedTrack = TrackUse & { readonly id: number };

/** Frames of one track since it was attached. */
export interface TrackCounts {
  readonly id: number;
  readonly use: TrackUse;
  readonly passed: number;
  /** `no_key`: could not be encrypted; `codec`: of a codec that is not sent in calls. */
  readonly dropped: Readonly<Partial<Record<DropReason | "no_key" | "codec", number>>>;
}

export type FromPage =
  | { readonly kind: "start"; readonly callId: string; readonly self: Member }
  | { readonly kind: "roster"; readonly roster: CallRoster }
  /** From a device, over a session with it. */
  | { readonly kind: "message"; readonly from: Address; readonly body: Uint8Array }
  /** The ends of `createEncodedStreams`. `RTCRtpScriptTransform` brings its own. */
  | {
      readonly kind: "attach";
      readonly track: AttachedTrack;
      readonly readable: ReadableStream;
      readonly writable: WritableStream;
    }
  | { readonly kind: "counts"; readonly id: number }
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly kind: "send"; readonly to: readonly Address[]; readonly body: Uint8Array; readonly anew: boolean }
  /** Whom this device exchanges keys with; undefined while one is missing. Nothing in it is secret. */
  | { readonly kind: "keyed"; readonly keyed: Keyed | undefined }
  /** Whether frames of this track open: false from the first that doesn't for lack of a key until one does. */
  | {
      readonly kind: "opens";
      readonly id: number;
      readonly joinId: string;
      readonly role: TrackRole;
      readonly opens: boolean;
    }
  | { readonly kind: "counts"; readonly id: number; readonly counts: readonly TrackCounts[] }
  /** This stay is over, or its worker failed: nothing is sent or heard any more. */
  | { readonly kind: "over" };

export interface Keyed {
  readonly epoch: number;
  readonly members: readonly KeyedMember[];
}
