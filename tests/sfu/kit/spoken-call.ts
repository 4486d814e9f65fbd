import type { SfuAnswer } from "@lescopains/protocol/sfu/requests";
import { RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket, type RtpPacket } from "werift";
import { MediaEnd } from "../../../tools/doctor/media-end.ts";
import { join, type Joined } from "./client.ts";
import { microphone } from "./place.ts";
import { opusParameters } from "./rtp-samples.ts";

const packetMs = 20;
const samplesPerPacket = 960;
const payloadBytes = 80;
const reportEveryPackets = 50;
const ssrc = 1_111;
const payloadType = 111;
/** Heard, at −20 dBov (RFC 6464). */
const level = { id: 10, payload: Buffer.from([0x80 | 20]) };

/** One who speaks without a pause and one who listens, through a real worker, by real ICE, DTLS and SRTP. */
export interface SpokenCall {
  readonly speaker: Joined;
  readonly listener: Joined;
  readonly producerId: string;
  readonly consumerId: string;
  /** The media port of the speaker's worker. */
  readonly port: number;
  /** Packets that reached the listener. */
  readonly heard: number;
  /** Holes between the first and the last of them. */
  readonly lost: number;
  /** Packets that the speaker leaves out from now on, of each hundred. */
  omitPercent: number;
}

/** This end of a transport of the node. */
interface Media {
  readonly transportId: string;
  readonly port: number;
  readonly end: MediaEnd;
  /** Lets ICE and DTLS come through, once the node knows this end. */
  readonly reach: () => Promise<void>;
  /** Tells the node of this end, and reaches it. */
  readonly connected: () => Promise<void>;
}

export async function openMedia({ client }: Joined, transport: SfuAnswer<"transport">): Promise<Media> {
  const { transportId, iceParameters, iceCandidates, dtlsParameters } = transport;
  const candidate = iceCandidates.find(({ protocol }) => protocol === "udp");
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  if (candidate === undefined || fingerprint === undefined) throw new Error("a transport without UDP or SHA-256");
  const { address: ip, port } = candidate;
  const end = await MediaEnd.open(ip);
  const local = [{ algorithm: "sha-256", value: end.local.fingerprint }] as const;
  const remote = { ...iceParameters, iceLite: true, fingerprint: fingerprint.value, ip, port };
  const reach = (): Promise<void> => end.connect(remote);
  return {
    transportId,
    port,
    end,
    reach,
    async connected() {
      const body = { transportId, dtlsParameters: { role: "client" as const, fingerprints: [...local] } };
      await Promise.all([client.must("transport:connect", body), reach()]);
    },
  };
}

/** By tokens of two people for one room. Resolves when the first packet is heard; it ends when `atEnd` says so. */
export async function startSpokenCall(
  url: string,
  tokens: { readonly speaker: string; readonly listener: string },
  atEnd: (end: () => Promise<void> | void) => void,
): Promise<SpokenCall> {
  const joinBy = (token: string) => join(url, token, { address: "192.0.2.1", atEnd });
  const [speaker, listener] = [await joinBy(tokens.speaker), await joinBy(tokens.listener)];
  const sending = await openMedia(speaker, await speaker.client.must("transport", { direction: "send" }));
  const { rtpCapabilities } = listener.ready;
  const receive = await listener.client.must("transport", { direction: "recv", rtpCapabilities });
  const receiving = await openMedia(listener, receive);
  await Promise.all([sending.connected(), receiving.connected()]);
  const produce = { ...microphone(sending.transportId), rtpParameters: opusParameters(ssrc) };
  const { producerId } = await speaker.client.must("produce", produce);
  const consumed = await listener.client.must("consume", { transportId: receiving.transportId, producerId });
  const source = consumed.rtpParameters.encodings?.[0]?.ssrc ?? 0;

  const heard = new Set<number>();
  let report: { readonly middleNtp: number; readonly atMs: number } | undefined;
  const first = Promise.withResolvers<void>();
  const unwrapped = unwrapper();
  receiving.end.onRtp(({ header }: RtpPacket) => {
    if (header.ssrc !== source) return;
    heard.add(unwrapped(header.sequenceNumber));
    first.resolve();
  });
  receiving.end.onRtcp((packet) => {
    if (packet instanceof RtcpSrPacket && packet.ssrc === source) {
      report = { middleNtp: Number((packet.senderInfo.ntpTimestamp >> 16n) & 0xff_ff_ff_ffn), atMs: performance.now() };
    }
  });

  let omitPercent = 0;
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    // 37 has no divisor in common with 100: those left out are spread.
    if ((tick * 37) % 100 >= omitPercent) {
      const header = { payloadType, sequenceNumber: tick & 0xff_ff, timestamp: (tick * samplesPerPacket) >>> 0, ssrc };
      sending.end.sendRtp({ ...header, extension: true, extensions: [level] }, Buffer.alloc(payloadBytes, tick & 0xff));
    }
    if (tick % reportEveryPackets !== 0) return;
    const senderInfo = new RtcpSenderInfo({
      ntpTimestamp: BigInt(Math.round((Date.now() / 1_000 + 2_208_988_800) * 2 ** 20)) << 12n,
      rtpTimestamp: (tick * samplesPerPacket) >>> 0,
      packetCount: tick,
      octetCount: tick * payloadBytes,
    });
    sending.end.sendRtcp([new RtcpSrPacket({ ssrc, senderInfo })]);
    if (report === undefined) return;
    // When the node last reported, and how long ago: by this it knows the round trip (RFC 3550 §6.4.1).
    const info = {
      ssrc: source,
      fractionLost: Math.round(omitPercent * 2.56),
      packetsLost: 0,
      highestSequence: Math.max(...heard) & 0xff_ff,
      jitter: 0,
      lsr: report.middleNtp,
      dlsr: Math.max(1, Math.round(((performance.now() - report.atMs) / 1_000) * 65_536)),
    };
    receiving.end.sendRtcp([new RtcpRrPacket({ ssrc: 1, reports: [new RtcpReceiverInfo(info)] })]);
  }, packetMs);
  atEnd(async () => {
    clearInterval(timer);
    await Promise.all([sending.end.close(), receiving.end.close()]);
  });
  await listener.client.must("consumer:resume", { consumerId: consumed.consumerId });
  await first.promise;
  return {
    speaker,
    listener,
    producerId,
    consumerId: consumed.consumerId,
    port: sending.port,
    get heard() {
      return heard.size;
    },
    get lost() {
      return heard.size === 0 ? 0 : Math.max(...heard) - Math.min(...heard) + 1 - heard.size;
    },
    get omitPercent() {
      return omitPercent;
    },
    set omitPercent(percent) {
      omitPercent = percent;
    },
  };
}

/** Sequence numbers as if they did not begin again after 65,535. */
function unwrapper(): (sequenceNumber: number) => number {
  let latest: number | undefined;
  return (sequenceNumber) => {
    latest ??= sequenceNumber;
    const step = ((sequenceNumber - latest + 0x1_80_00) & 0xff_ff) - 0x80_00;
    const number = latest + step;
    latest = Math.max(latest, number);
    return number;
  };
}
