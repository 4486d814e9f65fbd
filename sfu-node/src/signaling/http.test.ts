import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { join, type Joined } from "../../../tests/sfu/kit/client.ts";
import { fakeNode, type FakeNode } from "../../../tests/sfu/kit/node.ts";
import { camera, microphone, post, together, transports } from "../../../tests/sfu/kit/place.ts";

test("[SF14] everything works over HTTP with the token as Bearer, and only for who joined that way", async () => {
  const { url, edge, people, room } = await together(1);
  const [witness] = people as [Joined];
  const token = await edge.token({ room });
  expect(await post(url, "/sfu/transport", token, { direction: "send" })).toMatchObject([
    401,
    { error: { code: "unauthenticated" } },
  ]);
  const [status, snapshot] = await post(url, "/sfu/join", token);
  expect([status, snapshot.peers.length]).toEqual([200, 1]);
  expect(await post(url, "/sfu/join", token)).toMatchObject([401, { error: { code: "token_used" } }]);
  const [, transport] = await post(url, "/sfu/transport", token, { direction: "send" });
  const [, produced] = await post(url, "/sfu/produce", token, microphone(transport.transportId));
  expect((await witness.client.until("producer:added")).producer.producerId).toBe(produced.producerId);
  const { rtpCapabilities } = snapshot;
  const [, recv] = await post(url, "/sfu/transport", token, { direction: "recv", rtpCapabilities });
  const from = await transports(witness);
  const { producerId } = await witness.client.must("produce", camera(from.send));
  expect(await post(url, "/sfu/consume", token, { transportId: recv.transportId, producerId })).toMatchObject([
    200,
    { type: "simulcast" },
  ]);
  expect((await post(url, "/sfu/state", token))[1].consumers).toHaveLength(1);
  expect(await post(url, "/sfu/transport/close", token, { transportId: recv.transportId })).toEqual([200, {}]);
  expect(await post(url, "/sfu/consume", token, "{")).toMatchObject([400, { error: { code: "invalid_request" } }]);
  expect(await post(url, "/sfu/consume", token, "x".repeat(70_000))).toMatchObject([
    413,
    { error: { code: "too_large" } },
  ]);
  expect(await post(url, "/sfu/nonsense", token)).toMatchObject([404, {}]);
  expect((await fetch(`${url}/sfu/join`)).status).toBe(405);
  expect(await post(url, "/sfu/leave", token)).toEqual([200, {}]);
  expect((await post(url, "/sfu/state", token))[0]).toBe(401);

  const bySocket = await edge.token({ room });
  await join(url, bySocket);
  expect((await post(url, "/sfu/state", bySocket))[0]).toBe(401);
});

test("[SF15] only pages of known origins may ask", async () => {
  const { url } = await fakeNode({ SFU_ORIGINS: "https://friends.example" });
  const ask = async (origin: string) =>
    (await fetch(`${url}/sfu/join`, { method: "OPTIONS", headers: { origin } })).headers.get(
      "access-control-allow-origin",
    );
  expect(await ask("https://friends.example")).toBe("https://friends.example");
  expect(await ask("https://elsewhere.example")).toBeNull();
});

test("[SF17] neither tokens nor addresses nor keys are logged", async () => {
  const { url, edge, log } = await fakeNode();
  const token = await edge.token();
  const { client, ready } = await join(url, token);
  await expect(join(url, token)).rejects.toThrow("token_used");
  await client.must("leave", {});
  await eventually(() => expect(log.join("\n")).toContain('"reason":"left"'));
  const text = log.join("\n");
  for (const secret of [token, ready.resumeKey, "127.0.0.1", ...token.split(".")]) expect(text).not.toContain(secret);
  expect(text).toContain(ready.peer.peerId);
});

test("[SF18] /health says how the workers are; /metrics tells who holds its token", async () => {
  const { url, people, engine }: FakeNode & { people: Joined[] } = await together(1, { METRICS_TOKEN: "let me see" });
  await transports(people[0] as Joined);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({
    status: "ok",
    checks: { workers: "ok" },
    draining: false,
  });
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  const metrics = async () =>
    (await fetch(`${url}/metrics`, { headers: { authorization: "Bearer let me see" } })).text();
  expect(await metrics()).toContain("lescopains_sfu_transports 2");
  engine.workers[0]?.die();
  await eventually(async () => expect(await metrics()).toContain("lescopains_sfu_worker_deaths_total 1"));
});

test("[SN3] who never finishes a request, or takes no leave, does not hold up the end of the node", async () => {
  const { url, node, edge } = await fakeNode();
  const { port } = new URL(url);
  const half = connect(Number(port), "127.0.0.1");
  half.on("error", () => undefined);
  await once(half, "connect");
  half.write("POST /sfu/join HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
  const { client } = await join(url, await edge.token(), { transports: ["websocket"] });
  const beganMs = performance.now();
  await node.stop();
  expect(performance.now() - beganMs).toBeLessThan(5_000);
  expect(await client.until("closed")).toEqual({ reason: "draining" });
  half.destroy();
});
