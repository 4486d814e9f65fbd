import type { EndDescription } from "../../tools/doctor/media-end.ts";
import { extensions, payloadType } from "./speech.ts";

function valueOf(sdp: string, line: RegExp): string {
  const value = line.exec(sdp)?.[1];
  if (value === undefined) throw new Error(`a session description without ${line.source}`);
  return value;
}

/** The other end, by its session description of one bundled media line with all its candidates; the first over UDP and IPv4 is taken. */
export function endOf(sdp: string): EndDescription {
  const candidate = /^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host/im.exec(sdp);
  const [, ip, port] = candidate ?? [];
  if (ip === undefined) throw new Error("a session description without an address");
  return {
    usernameFragment: valueOf(sdp, /^a=ice-ufrag:(\S+)/m),
    password: valueOf(sdp, /^a=ice-pwd:(\S+)/m),
    iceLite: /^a=ice-lite/m.test(sdp),
    fingerprint: valueOf(sdp, /^a=fingerprint:sha-256 (\S+)/im),
    ip,
    port: Number(port),
  };
}

/** One media line of sound from or to this end, which begins DTLS; `ssrc` of what it sends. */
export function describe(end: EndDescription, direction: "sendonly" | "recvonly", ssrc?: number): string {
  return [
    "v=0",
    `o=- 1 1 IN IP4 ${end.ip}`,
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    `m=audio 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
    `c=IN IP4 ${end.ip}`,
    "a=mid:0",
    `a=${direction}`,
    "a=rtcp-mux",
    `a=ice-ufrag:${end.usernameFragment}`,
    `a=ice-pwd:${end.password}`,
    `a=fingerprint:sha-256 ${end.fingerprint}`,
    "a=setup:active",
    `a=rtpmap:${payloadType} opus/48000/2`,
    `a=fmtp:${payloadType} minptime=10;useinbandfec=1`,
    ...extensions.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    ...(ssrc === undefined ? [] : [`a=ssrc:${ssrc} cname:bench`]),
    `a=candidate:1 1 udp 2113937151 ${end.ip} ${end.port} typ host`,
    "a=end-of-candidates",
    "",
  ].join("\r\n");
}
