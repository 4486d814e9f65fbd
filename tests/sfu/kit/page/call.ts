/** Runs in a page: a whole client of a node, with mediasoup-client, for tests. Built by browser.ts. */
import type { SfuEvent, SfuEventBody } from "@lescopains/protocol/sfu/events";
import type { RtpCapabilities, Source } from "@lescopains/protocol/sfu/media";
import type { SfuAnswer, SfuBody, SfuRequest } from "@lescopains/protocol/sfu/requests";
import type { Peer, Snapshot } from "@lescopains/protocol/sfu/room";
import { Device, type types } from "mediasoup-client";
import { io, type Socket } from "socket.io-client";

export interface CallOptions {
  readonly url: string;
  readonly token: string;
  readonly sources: readonly Source[];
  readonly tcpOnly?: boolean;
  /** Reaches the node by IPv4 (4) or IPv6 (6) alone. */
  readonly family?: 4 | 6;
  /** Turns every byte of every frame after the clear ones, as encryption would. */
  readonly scramble?: boolean;
}

export interface ReceivedTrack {
  readonly source: Source;
  readonly consumerId: string;
  readonly bytes: number;
  readonly framesDecoded: number;
  readonly frameWidth: number;
}

type EncodedFrame = { data: ArrayBuffer; type?: "key" | "delta" | "empty" };
type Streams = { readonly readable: ReadableStream<EncodedFrame>; readonly writable: WritableStream<EncodedFrame> };
type Encoded = { createEncodedStreams(): Streams };

/** Somebody who does not pause: the short beeps of the browser's own microphone, with silence between them, are not taken for a voice. */
function hum(): MediaStreamTrack {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 220 });
  const to = context.createMediaStreamDestination();
  oscillator.connect(to);
  oscillator.start();
  return first(to.stream);
}

/** VP8 keeps what tells the node that a frame is a whole picture. */
function scrambler(kind: "audio" | "video"): TransformStream<EncodedFrame, EncodedFrame> {
  return new TransformStream({
    transform(frame, controller) {
      const bytes = new Uint8Array(frame.data);
      const clear = kind === "audio" ? 0 : frame.type === "key" ? 10 : 1;
      for (let n = clear; n < bytes.length; n += 1) bytes[n] = (bytes[n] ?? 0) ^ 0xa5;
      controller.enqueue(frame);
    },
  });
}

function scramble(of: object, kind: "audio" | "video"): void {
  const { readable, writable } = (of as Encoded).createEncodedStreams();
  void readable.pipeThrough(scrambler(kind)).pipeTo(writable);
}

const simulcast = [
  { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: "L1T3" },
  { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: "L1T3" },
  { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: "L1T3" },
];

class Call {
  readonly events: { readonly event: string; readonly body: unknown }[] = [];
  readonly messages: string[] = [];
  readonly #options: CallOptions;
  readonly #device = new Device();
  readonly #socket: Socket;
  readonly #consumers = new Map<string, { readonly consumer: types.Consumer; readonly source: Source }>();
  #send: types.Transport | undefined;
  #recv: types.Transport | undefined;
  #data: types.DataProducer | undefined;

  constructor(options: CallOptions) {
    this.#options = options;
    const { url, token } = options;
    this.#socket = io(url, { path: "/sfu/socket.io", auth: { token }, transports: ["websocket"], reconnection: false });
    this.#socket.onAny((event: SfuEvent, body: SfuEventBody<SfuEvent>) => {
      this.events.push({ event, body });
      void this.#take(event, body);
    });
  }

  async #take<E extends SfuEvent>(event: E, body: SfuEventBody<E>): Promise<void> {
    if (event === "producer:added") {
      const { producer } = body as SfuEventBody<"producer:added">;
      await this.#consume(producer.producerId, producer.source);
    }
    if (event === "data:added") await this.#listen((body as SfuEventBody<"data:added">).dataProducer.dataProducerId);
  }

  async ask<R extends SfuRequest>(name: R, body: object): Promise<SfuAnswer<R>> {
    const answer = await this.#socket.timeout(30_000).emitWithAck(name, body);
    if (answer.ok !== true) throw new Error(`${name}: ${answer.error.code} ${answer.error.message}`);
    return answer;
  }

  async start(): Promise<void> {
    const ready = await new Promise<Snapshot>((resolve, reject) => {
      this.#socket.once("ready", resolve);
      this.#socket.once("connect_error", reject);
    });
    await this.#device.load({ routerRtpCapabilities: ready.rtpCapabilities as types.RtpCapabilities });
    [this.#send, this.#recv] = await Promise.all([this.#open("send"), this.#open("recv")]);
    await Promise.all([
      ...this.#options.sources.map((source) => this.#produce(source)),
      ...ready.peers.map((peer) => this.#receive(peer)),
    ]);
    this.#data = await this.#send.produceData({ label: "events", ordered: true });
  }

  async #open(direction: "send" | "recv"): Promise<types.Transport> {
    const rtpCapabilities = this.#device.recvRtpCapabilities as RtpCapabilities;
    const { tcpOnly = false, family } = this.#options;
    const more = direction === "recv" ? { rtpCapabilities } : {};
    const { transportId, ...parameters } = await this.ask("transport", { direction, tcpOnly, ...more });
    const isOf = ({ address }: { readonly address: string }) => address.includes(":") === (family === 6);
    const options = {
      id: transportId,
      ...parameters,
      iceCandidates: parameters.iceCandidates.filter((one) => family === undefined || isOf(one)),
      additionalSettings: { encodedInsertableStreams: this.#options.scramble === true },
    } as unknown as types.TransportOptions;
    const transport =
      direction === "send" ? this.#device.createSendTransport(options) : this.#device.createRecvTransport(options);
    transport.on("connect", ({ dtlsParameters }, done, fail) => {
      void settle(this.ask("transport:connect", { transportId, dtlsParameters }), done, fail);
    });
    transport.on("produce", ({ kind, rtpParameters, appData }, done, fail) => {
      const source = appData["source"] as Source;
      const body = { transportId, source, kind, rtpParameters } as unknown as SfuBody<"produce">;
      void settle(this.ask("produce", body), ({ producerId }) => done({ id: producerId }), fail);
    });
    transport.on("producedata", ({ sctpStreamParameters, label = "" }, done, fail) => {
      const body = { transportId, sctpStreamParameters, label } as SfuBody<"produce:data">;
      void settle(this.ask("produce:data", body), ({ dataProducerId }) => done({ id: dataProducerId }), fail);
    });
    return transport;
  }

  async #produce(source: Source): Promise<void> {
    const { track, more } = await this.#track(source);
    const onRtpSender = this.#options.scramble === true ? (of: RTCRtpSender) => scramble(of, kindOf(track)) : undefined;
    await this.#send?.produce({
      track,
      appData: { source },
      ...more,
      ...(onRtpSender === undefined ? {} : { onRtpSender }),
    });
  }

  async #track(source: Source): Promise<{ track: MediaStreamTrack; more: Partial<types.ProducerOptions> }> {
    if (source === "audio" || source === "screen-audio") {
      return { track: hum(), more: { codecOptions: { opusFec: true, opusDtx: true } } };
    }
    if (source === "camera") {
      const video = { width: 640, height: 360, frameRate: 20 };
      return { track: first(await navigator.mediaDevices.getUserMedia({ video })), more: { encodings: simulcast } };
    }
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } });
    const codec = this.#device.sendRtpCapabilities.codecs?.find(({ mimeType }) => mimeType === "video/VP9");
    if (codec === undefined) throw new Error("this browser has no VP9");
    const track = first(stream);
    // Without it Chromium 156 encodes nothing of a screen in K-SVC.
    track.contentHint = "motion";
    return { track, more: { codec, encodings: [{ scalabilityMode: "L3T3_KEY" }] } };
  }

  async #receive(peer: Peer): Promise<void> {
    await Promise.all([
      ...peer.producers.map(({ producerId, source }) => this.#consume(producerId, source)),
      ...peer.dataProducers.map(({ dataProducerId }) => this.#listen(dataProducerId)),
    ]);
  }

  async #consume(producerId: string, source: Source): Promise<void> {
    const recv = await this.#receiver();
    const body = await this.ask("consume", { transportId: recv.id, producerId });
    const { consumerId: id, kind } = body;
    const onRtpReceiver = this.#options.scramble === true ? (of: RTCRtpReceiver) => scramble(of, kind) : undefined;
    const consumer = await recv.consume({
      id,
      producerId,
      kind,
      rtpParameters: body.rtpParameters as types.RtpParameters,
      ...(onRtpReceiver === undefined ? {} : { onRtpReceiver }),
    });
    this.#consumers.set(id, { consumer, source });
    play(consumer.track);
    await this.ask("consumer:resume", { consumerId: id });
  }

  /** Others may send before one's own transport is there. */
  async #receiver(): Promise<types.Transport> {
    while (this.#recv === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#recv;
  }

  async #listen(dataProducerId: string): Promise<void> {
    const recv = await this.#receiver();
    const body = await this.ask("consume:data", { transportId: recv.id, dataProducerId });
    const { dataConsumerId: id, sctpStreamParameters, label } = body;
    const consumer = await recv.consumeData({
      id,
      dataProducerId,
      sctpStreamParameters,
      label,
    } as types.DataConsumerOptions);
    consumer.on("message", (message: string) => this.messages.push(message));
  }

  say(message: string): void {
    this.#data?.send(message);
  }

  async received(): Promise<ReceivedTrack[]> {
    const all = [...this.#consumers.values()].map(async ({ consumer, source }) => {
      const report = [...(await consumer.getStats()).values()].find(({ type }) => type === "inbound-rtp");
      const { bytesReceived: bytes = 0, framesDecoded = 0, frameWidth = 0 } = report ?? {};
      return { source, consumerId: consumer.id, bytes, framesDecoded, frameWidth };
    });
    return Promise.all(all);
  }

  /** `udp` or `tcp`, of the pair that media takes. */
  async protocol(): Promise<string | undefined> {
    return (await this.#farEnd())?.protocol;
  }

  /** Where the node is, of the pair that media takes. */
  async nodeAddress(): Promise<string | undefined> {
    return (await this.#farEnd())?.address;
  }

  async #farEnd(): Promise<{ readonly protocol: string; readonly address: string } | undefined> {
    const report = [...((await this.#recv?.getStats()) ?? new Map()).values()];
    const transport = report.find(({ type }) => type === "transport");
    const pair = report.find(({ id }) => id === transport?.selectedCandidatePairId);
    return report.find(({ id }) => id === pair?.remoteCandidateId);
  }

  async restartIce(): Promise<void> {
    for (const transport of [this.#send, this.#recv]) {
      if (transport === undefined) continue;
      const { iceParameters } = await this.ask("transport:restart-ice", { transportId: transport.id });
      await transport.restartIce({ iceParameters } as { iceParameters: types.IceParameters });
    }
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  close(): void {
    this.#socket.disconnect();
    this.#send?.close();
    this.#recv?.close();
  }
}

/** A promise's end for a library that takes callbacks. */
async function settle<T>(answer: Promise<T>, done: (value: T) => void, fail: (error: Error) => void): Promise<void> {
  try {
    done(await answer);
  } catch (error) {
    fail(error instanceof Error ? error : new Error(String(error)));
  }
}

function kindOf(track: MediaStreamTrack): "audio" | "video" {
  return track.kind === "audio" ? "audio" : "video";
}

function first(stream: MediaStream): MediaStreamTrack {
  const [track] = stream.getTracks();
  if (track === undefined) throw new Error("a stream without a track");
  return track;
}

/** A track that nothing plays is not decoded. */
function play(track: MediaStreamTrack): void {
  const element = document.createElement(track.kind === "audio" ? "audio" : "video");
  element.autoplay = true;
  element.muted = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
}

declare global {
  interface Window {
    call: Call;
    join(options: CallOptions): Promise<void>;
  }
}

window.join = async (options) => {
  window.call = new Call(options);
  await window.call.start();
};
