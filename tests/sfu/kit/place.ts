import type { RtpCapabilities } from "@lescopains/protocol/sfu/media";
import { join, type Joined } from "./client.ts";
import { newRoom } from "./edge.ts";
import { fakeNode } from "./node.ts";
import { opusParameters, videoParameters } from "./rtp-samples.ts";

export async function together(count: number, env: Record<string, string> = {}) {
  const place = await fakeNode(env);
  const room = newRoom();
  const people: Joined[] = [];
  for (let n = 0; n < count; n += 1) people.push(await join(place.url, await place.edge.token({ room })));
  return { ...place, room, people };
}

export async function transports({ client, ready }: Joined): Promise<{ send: string; recv: string }> {
  const { rtpCapabilities } = ready;
  const send = await client.must("transport", { direction: "send" });
  const recv = await client.must("transport", { direction: "recv", rtpCapabilities });
  return { send: send.transportId, recv: recv.transportId };
}

export function microphone(transportId: string) {
  return { transportId, source: "audio", kind: "audio", rtpParameters: opusParameters() } as const;
}
export function camera(transportId: string) {
  return { transportId, source: "camera", kind: "video", rtpParameters: videoParameters() } as const;
}

/** What answers hold, as far as tests look. */
export interface Body {
  readonly error: { readonly code: string; readonly retryAfterMs: number };
  readonly peers: readonly unknown[];
  readonly consumers: readonly unknown[];
  readonly transportId: string;
  readonly producerId: string;
  readonly rtpCapabilities: RtpCapabilities;
}

export async function post(
  url: string,
  path: string,
  token: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<[number, Body]> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return [response.status, (await response.json()) as Body];
}
