/** The doctor's voice hop: a stranger's whole way to the media of the SFU node, without a browser. */
import { randomUUID } from "node:crypto";
import { connect, isIPv4 } from "node:net";
import type { ChannelId } from "@lescopains/protocol/ids";
import { type IceCandidate, TransportParameters } from "@lescopains/protocol/sfu/media";
import * as v from "valibot";
import { RTCPeerConnection } from "werift";
import { OperatorError } from "../operator-error.ts";
import { signRoomToken } from "../stack/room-token.ts";
import { loadSecrets } from "../stack/secrets.ts";
import { localNodeId } from "../stack/sfu.ts";
import { fetchFrom, type Hop, reasonOf, timeoutMs } from "./installation.ts";
import { type Ask, passSound } from "./spoken.ts";

const Transport = v.object({ transportId: v.string(), ...TransportParameters.entries });
type Transport = v.InferOutput<typeof Transport>;

/** The node's side as an offer: one data channel, all UDP candidates. */
function offerOf({ iceParameters, iceCandidates, dtlsParameters, sctpParameters }: Transport): string {
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  const candidates = iceCandidates
    .filter(({ protocol }) => protocol === "udp")
    .map((one) => `a=candidate:${one.foundation} 1 udp ${one.priority} ${one.address} ${one.port} typ host`);
  return [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=ice-lite",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:sha-256 ${fingerprint?.value ?? ""}`,
    "a=setup:actpass",
    `a=sctp-port:${sctpParameters.port}`,
    `a=max-message-size:${sctpParameters.maxReceiveMessageSize}`,
    ...candidates,
    "a=end-of-candidates",
    "",
  ].join("\r\n");
}

/** Resolves when ICE and DTLS have come through, and rejects with how far they came. */
function connected(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const where = peer.iceConnectionState === "connected" || peer.iceConnectionState === "completed" ? "DTLS" : "ICE";
      reject(new Error(`${where} does not come through`));
    }, timeoutMs);
    peer.connectionStateChange.subscribe((state) => {
      if (state === "connected") resolve();
      if (state === "failed") reject(new Error("ICE or DTLS failed"));
      if (state === "connected" || state === "failed") clearTimeout(timer);
    });
  });
}

async function throughUdp(transport: Transport, ask: Ask): Promise<number> {
  const beganMs = performance.now();
  const peer = new RTCPeerConnection({ iceServers: [] });
  try {
    await peer.setRemoteDescription({ type: "offer", sdp: offerOf(transport) });
    await peer.setLocalDescription(await peer.createAnswer());
    const value = /^a=fingerprint:sha-256 (\S+)/m.exec(peer.localDescription?.sdp ?? "")?.[1];
    const fingerprints = [{ algorithm: "sha-256", value }];
    const end = connected(peer);
    const { transportId } = transport;
    await ask("transport/connect", { transportId, dtlsParameters: { role: "client", fingerprints } });
    await end;
    return performance.now() - beganMs;
  } finally {
    await peer.close();
  }
}

function reachesTcp({ address, port }: IceCandidate): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const end = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** Half of the packets of a second: whatever loses more than that is no network to talk over. */
const leastArrived = 0.5;

/** A stranger with a token of their own. */
function strangerAt(url: string, token: string): Ask {
  return async (path, body) => {
    const response = await fetch(`${url}/sfu/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/sfu/${path} answers ${response.status} ${text.slice(0, 200)}`);
    return JSON.parse(text);
  };
}

/**
 * Joins a room over HTTP, opens a transport, and lets ICE and DTLS come through over UDP; TCP is connected to; then a second of sound goes through the node
 * to somebody else. Answers what was found in words; an OperatorError says what does not work and what to do.
 */
export async function checkVoice(url: string, dataDir: string, nodeId: string = localNodeId): Promise<string> {
  // A room that nobody else knows.
  const room = randomUUID() as ChannelId;
  const stranger = async (): Promise<Ask> =>
    strangerAt(url, await signRoomToken(loadSecrets(dataDir), { nodeId, room, rights: ["speak", "listen"] }));
  const [ask, other] = [await stranger(), await stranger()];
  let transport: Transport;
  let joined: unknown;
  try {
    await ask("join", {});
    transport = v.parse(Transport, await ask("transport", { direction: "send" }));
    joined = await other("join", {});
  } catch (cause) {
    const advice = "look into its log (logs/sfu.log, or `docker compose logs sfu`)";
    throw new OperatorError(`The SFU node lets nobody in (${reasonOf(cause)}): ${advice}`, { cause });
  }
  const ports = [...new Set(transport.iceCandidates.map(({ port }) => port))].join(", ");
  try {
    const tookMs = await throughUdp(transport, ask);
    const tcp = transport.iceCandidates.filter(({ protocol }) => protocol === "tcp");
    const reached = await Promise.all(tcp.map((candidate) => reachesTcp(candidate)));
    const closed = tcp.flatMap(({ address }, index) => (reached[index] === true ? [] : [address]));
    if (closed.length === tcp.length) {
      throw new OperatorError(`Media passes over UDP but not over TCP: let port ${ports}/tcp through the firewall`);
    }
    const through = `ICE and DTLS come through on port ${ports} in ${Math.round(tookMs)} ms, TCP is open${closed.length === 0 ? "" : `, but not at ${closed.join(", ")}`}`;
    if (!transport.iceCandidates.some(({ address }) => isIPv4(address)))
      return `${through} (no sound was sent: it is reached by IPv6 alone)`;
    const { arrived, sent } = await passSound(ask, other, joined);
    if (arrived < sent * leastArrived) {
      throw new OperatorError(
        `Of ${sent} packets of sound ${arrived} came through the SFU node: look into its log, and whether this machine is overloaded`,
      );
    }
    return `${through}, ${arrived} of ${sent} packets of sound arrived`;
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    const advice = `let port ${ports}/udp through the firewall, and set SFU_LISTEN (in containers SFU_ANNOUNCED) to the address that people reach`;
    throw new OperatorError(`No media reaches the SFU node (${reasonOf(cause)}): ${advice}`, { cause });
  } finally {
    await Promise.all([ask, other].map((one) => one("leave", {}).catch(() => undefined)));
  }
}

/** What the edge says of a node (`GET /operator/sfu`). */
const Nodes = v.object({
  nodes: v.array(
    v.object({
      id: v.string(),
      url: v.string(),
      draining: v.boolean(),
      connected: v.boolean(),
      hasFormerSecret: v.optional(v.boolean(), false),
    }),
  ),
});

/** The nodes that have registered, asked with the secret that they share with the edge. */
async function nodesOf(url: string, dataDir: string): Promise<v.InferOutput<typeof Nodes>["nodes"]> {
  const headers = { authorization: `Bearer ${loadSecrets(dataDir).sfuSecret}` };
  const response = await fetchFrom(`${url}/operator/sfu`, headers);
  if (!response.ok) {
    await response.body?.cancel();
    throw new OperatorError(
      `The edge does not say which voice nodes there are (${response.status}): does it run with the secrets of ${dataDir}?`,
    );
  }
  return v.parse(Nodes, await response.json()).nodes;
}

/** Every node, with the installation's own key, so only where its secrets are. */
export const voice: Hop = async ({ url, dataDir }) => {
  if (dataDir === undefined)
    return { note: "not looked at: that needs the installation's secrets, on the machine itself" };
  const nodes = await nodesOf(url, dataDir);
  if (nodes.length === 0) {
    throw new OperatorError(
      "No voice node has registered with the edge: is one running (logs/sfu.log, or `docker compose logs sfu`), with the same SFU_SECRET and a right clock?",
    );
  }
  const found: string[] = [];
  for (const node of nodes) {
    const { id, url: own, draining, hasFormerSecret } = node;
    if (!node.connected)
      throw new OperatorError(`The voice node ${id} has lost the edge: look whether it runs, and into its log`);
    // One that drains takes no new room, not even this one.
    found.push(
      `${id}${hasFormerSecret ? " (with the SFU_SECRET of before)" : ""}: ${draining ? "drains" : await checkVoice(own === "" || own.startsWith("/") ? url + own : own, dataDir, id)}`,
    );
  }
  return found.join("; ");
};
