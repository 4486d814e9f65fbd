/** An SFU node at the far end of a wire, and a browser's media without a browser: for tests. */
import type { Source } from "@lescopains/protocol/sfu/media";
import type { Peer, Snapshot } from "@lescopains/protocol/sfu/room";
import { RIGHT_OF, type Right } from "@lescopains/protocol/sfu/token";
import { Device, type types } from "mediasoup-client";
import * as fakeParameters from "mediasoup-client/fakeParameters";
import { FakeHandler } from "mediasoup-client/handlers/FakeHandler";
import type { OpenSfuWire, SfuWireEvents } from "./sfu-wire.ts";

/** mediasoup-client's own, over its own fake of a connection. */
export function fakeDevice(): Promise<types.Device> {
  return Device.factory({ handlerFactory: FakeHandler.createFactory(fakeParameters) });
}

/** The same, of a browser that encodes pictures in H264 alone. */
export function deviceOfH264(): Promise<types.Device> {
  const generateNativeRtpCapabilities = (): types.RtpCapabilities => {
    const all = fakeParameters.generateNativeRtpCapabilities();
    const parameters = { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 };
    const codecs = (all.codecs ?? [])
      .filter(({ mimeType }) => !/VP9|rtx/.test(mimeType))
      .map((codec) => (codec.mimeType === "video/VP8" ? { ...codec, mimeType: "video/H264", parameters } : codec));
    return { ...all, codecs };
  };
  return Device.factory({
    handlerFactory: FakeHandler.createFactory({ ...fakeParameters, generateNativeRtpCapabilities }),
  });
}

const TRANSPORT = {
  iceParameters: { usernameFragment: "u", password: "p", iceLite: true },
  iceCandidates: [],
  dtlsParameters: {
    role: "auto",
    fingerprints: [{ algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AA").join(":") }],
  },
  sctpParameters: { port: 5_000, maxSendMessageSize: 1, maxReceiveMessageSize: 1 },
};

type Refusal = { readonly code: string; readonly message: string; readonly retryAfterMs?: number };

/** Does at once what it is asked, as the real one keeps its rules; when and whether answers arrive is the test's choice. */
export class FakeNode {
  readonly self = crypto.randomUUID();
  readonly transports = new Map<string, "send" | "recv">();
  readonly producers = new Map<
    string,
    { readonly source: Source; readonly kind: "audio" | "video"; paused: boolean }
  >();
  readonly asked: string[] = [];
  peers: readonly Peer[] = [];
  rights: readonly Right[] = ["speak", "video", "screen"];
  /** Each request is refused with this, while there is something. */
  refusal: Refusal | undefined;
  private readonly connectedTransports = new Set<string>();
  private events: SfuWireEvents | undefined;
  private isOpen = false;
  private isHeld = false;
  private held: { readonly arrive: () => void; readonly lose: () => void }[] = [];

  readonly openWire: OpenSfuWire = (_url, events) => {
    this.events = events;
    return {
      open: () => (this.isOpen = true),
      close: () => this.drop(),
      request: (name, body) => this.request(name, body as never),
    };
  };

  /** The client is in, for the first time or once more. */
  accept(): void {
    this.tell("ready", this.snapshot());
  }

  tell(name: string, body: unknown): void {
    if (this.isOpen) this.events?.event(name, body);
  }

  /** Other rights: what is sent without one is paused, and goes on when it is back unless its owner paused it. */
  give(rights: readonly Right[]): void {
    this.rights = rights;
    this.tell("rights", { rights });
  }

  private may(source: Source): boolean {
    return this.rights.includes(RIGHT_OF[source]);
  }

  /** Answers are on their way until `release`. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    for (const { arrive } of this.held.splice(0)) arrive();
  }

  /** The connection breaks, and answers that are on their way with it. */
  cut(): void {
    this.isHeld = false;
    this.drop();
    this.events?.lost();
  }

  private drop(): void {
    this.isOpen = false;
    for (const { lose } of this.held.splice(0)) lose();
  }

  private request(name: string, body: Record<string, never>): Promise<unknown> {
    if (!this.isOpen) return Promise.reject(new Error("not connected"));
    const answer = this.answer(name, body);
    if (!this.isHeld) return Promise.resolve(answer);
    return new Promise((resolve, reject) => {
      this.held.push({ arrive: () => resolve(answer), lose: () => reject(new Error("disconnected")) });
    });
  }

  private answer(name: string, body: Record<string, never>): object {
    this.asked.push(name);
    if (this.refusal !== undefined) return { ok: false, error: this.refusal };
    const { producerId, transportId } = body;
    switch (name) {
      case "transport": {
        const id = crypto.randomUUID();
        this.transports.set(id, body["direction"] as unknown as "send");
        return { ok: true, transportId: id, ...TRANSPORT };
      }
      case "transport:connect":
        if (this.connectedTransports.has(transportId as never)) return refusal("invalid_request");
        this.connectedTransports.add(transportId as never);
        return { ok: true };
      case "transport:close":
        return this.transports.delete(transportId as never) ? { ok: true } : refusal("not_found");
      case "produce": {
        const { source, kind, paused } = body as unknown as { source: Source; kind: "audio"; paused: boolean };
        if (!this.may(source)) return refusal("forbidden");
        if ([...this.producers.values()].some((one) => one.source === source)) return refusal("conflict");
        const id = crypto.randomUUID();
        this.producers.set(id, { source, kind, paused });
        return { ok: true, producerId: id };
      }
      case "producer:pause":
      case "producer:resume": {
        const producer = this.producers.get(producerId as never);
        if (producer === undefined) return refusal("not_found");
        if (name === "producer:resume" && !this.may(producer.source)) return refusal("forbidden");
        producer.paused = name === "producer:pause";
        return { ok: true };
      }
      case "producer:close":
        return this.producers.delete(producerId as never) ? { ok: true } : refusal("not_found");
      default:
        return { ok: true };
    }
  }

  private snapshot(): Snapshot {
    const producers = [...this.producers].map(([producerId, one]) => ({ producerId, ...one }));
    return {
      nodeId: "local",
      peer: { peerId: this.self, userId: this.self, deviceId: 1, producers, dataProducers: [] },
      resumeKey: "key",
      rights: this.rights,
      encrypted: true,
      rtpCapabilities: fakeParameters.generateRouterRtpCapabilities(),
      peers: this.peers,
      transports: [...this.transports].map(([transportId, direction]) => ({ transportId, direction })),
      consumers: [],
      dataConsumers: [],
    } as unknown as Snapshot;
  }
}

function refusal(code: string): object {
  return { ok: false, error: { code, message: "" } };
}
