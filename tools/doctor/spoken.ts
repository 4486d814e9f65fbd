/** Sound through an SFU node, from one stranger to another, as two browsers would send it: ICE, DTLS, SRTP, and what the node does in between. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SFU_REQUESTS, type SfuAnswer, type SfuRequest } from "@lescopains/protocol/sfu/requests";
import { Snapshot } from "@lescopains/protocol/sfu/room";
import * as v from "valibot";
import { MediaEnd } from "./media-end.ts";

/** Asks the node something in the name of one stranger. */
export type Ask = (path: string, body: object) => Promise<unknown>;

/** A second of Opus packets. */
const packets = 50;
const packetMs = 20;
const samplesPerPacket = 960;
const ssrc = 1_111;
const opus = { mimeType: "audio/opus", payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} };

async function must<R extends SfuRequest>(ask: Ask, name: R, body: object): Promise<SfuAnswer<R>> {
  return v.parse(SFU_REQUESTS[name].answer, await ask(name.replaceAll(":", "/"), body));
}

/** The address from which this machine reaches another one. */
async function addressTowards(host: string, port: number): Promise<string> {
  const socket = createSocket("udp4");
  try {
    socket.connect(port, host);
    await once(socket, "connect");
    return socket.address().address;
  } finally {
    socket.close();
  }
}

/** Our end of a transport, connected. */
async function reach(ask: Ask, transport: SfuAnswer<"transport">): Promise<MediaEnd> {
  const { transportId, iceParameters, iceCandidates, dtlsParameters } = transport;
  const candidate = iceCandidates.find(({ protocol, address }) => protocol === "udp" && isIPv4(address));
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  if (candidate === undefined || fingerprint === undefined)
    throw new Error("a transport without UDP over IPv4, or SHA-256");
  const { address: ip, port } = candidate;
  const end = await MediaEnd.open(await addressTowards(ip, port));
  const fingerprints = [{ algorithm: "sha-256", value: end.local.fingerprint }];
  try {
    await Promise.all([
      must(ask, "transport:connect", { transportId, dtlsParameters: { role: "client", fingerprints } }),
      end.connect({ ...iceParameters, iceLite: true, fingerprint: fingerprint.value, ip, port }),
    ]);
  } catch (error) {
    await end.close();
    throw error;
  }
  return end;
}

/**
 * A second of sound from one to the other, both of whom have joined one room; the first may speak. Answers how many of the packets arrived and how many were sent.
 *
 * @param listenerJoined what the node answered to the listener's `join`
 */
export async function passSound(
  speaker: Ask,
  listener: Ask,
  listenerJoined: unknown,
): Promise<{ readonly arrived: number; readonly sent: number }> {
  const { rtpCapabilities } = v.parse(Snapshot, listenerJoined);
  const sending = await must(speaker, "transport", { direction: "send" });
  const receiving = await must(listener, "transport", { direction: "recv", rtpCapabilities });
  const ends: MediaEnd[] = [];
  try {
    const [from, to] = [await reach(speaker, sending), await reach(listener, receiving)];
    ends.push(from, to);
    const rtpParameters = { mid: "0", codecs: [opus], encodings: [{ ssrc }], rtcp: { cname: "doctor" } };
    const produce = { transportId: sending.transportId, source: "audio", kind: "audio", rtpParameters };
    const { producerId } = await must(speaker, "produce", produce);
    const consumed = await must(listener, "consume", { transportId: receiving.transportId, producerId });
    const arrived = new Set<number>();
    const source = consumed.rtpParameters.encodings?.[0]?.ssrc;
    to.onRtp(({ header }) => {
      if (header.ssrc === source) arrived.add(header.sequenceNumber);
    });
    await must(listener, "consumer:resume", { consumerId: consumed.consumerId });
    for (let n = 1; n <= packets; n += 1) {
      const header = { payloadType: opus.payloadType, sequenceNumber: n, timestamp: n * samplesPerPacket, ssrc };
      from.sendRtp(header, Buffer.alloc(80, n));
      await sleep(packetMs);
    }
    // The last ones are on the way.
    for (let turns = 0; turns < 25 && arrived.size < packets; turns += 1) await sleep(packetMs);
    return { arrived: arrived.size, sent: packets };
  } finally {
    for (const end of ends) await end.close();
  }
}
