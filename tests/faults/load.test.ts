import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ChannelId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Connection } from "../flows/kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { connectRaw } from "../flows/kit/raw.ts";
import { waitFor } from "../flows/kit/wait.ts";

let place: Place;
let people: Person[];
let channelId: ChannelId;
beforeAll(async () => {
  place = await startPlace();
  people = await enroll(place, 10);
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error("people were enrolled");
  channelId = textChannel(await serverWith(place, owner, others)).id;
});
afterAll(() => place.stop());

function person(index: number): Person {
  const found = people[index];
  if (found === undefined) throw new Error(`there is no person ${index}`);
  return found;
}

async function roundTrip(speaker: Connection, listener: Connection): Promise<void> {
  const content = randomUUID();
  await speaker.must("message:send", { channelId, content, nonce: content });
  await listener.until("message:new", (message) => message.content === content);
}

/** Resident memory of the edge, in MB, where the system tells. */
function residentMb(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${place.stack.workerd.pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1_024;
}

test("[FT4] a reader that never reads costs the others nothing: everyone else receives everything, and it does not fill the memory", async () => {
  const slow = await connectRaw(place, person(9));
  slow.ws.pause();
  const others = await Promise.all(people.slice(0, 8).map((one) => connect(place, one)));
  const before = residentMb();
  const content = "x".repeat(LIMITS.contentLength);
  const each = 150;
  await Promise.all(
    others.map((connection, who) =>
      Promise.all(
        Array.from({ length: each }, (_, n) =>
          connection.must("message:send", { channelId, content, nonce: `slow ${who} ${n}` }),
        ),
      ),
    ),
  );
  // 4.8 MB each: more than the system's buffers of a connection that nobody reads.
  for (const connection of others) {
    await waitFor("all messages", () => connection.of("message:new").length >= others.length * each);
    expect(connection.closes).toEqual([]);
  }
  const after = residentMb();
  if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(250);
  const [a, b] = others as [Connection, Connection];
  await roundTrip(a, b);
  slow.close();
  for (const connection of others) connection.close();
});

test("[FT5] a socket that floods is closed with 1008 flood, and nobody else notices", async () => {
  const [a, b] = [await connect(place, person(0)), await connect(place, person(1))];
  const flooder = await connectRaw(place, person(9));
  const enough = new AbortController();
  const talk = (async () => {
    let trips = 0;
    for (; !enough.signal.aborted; trips += 1) await roundTrip(a, b);
    return trips;
  })();
  for (let n = 0; n < 20_000 && flooder.closed === undefined; n += 1) {
    flooder.ws.send(`42["typing:start",{"channelId":"${channelId}"}]`);
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await waitFor("the flooder to be closed", () => flooder.closed);
  expect(flooder.closed).toEqual({ code: 1008, reason: "flood" });
  enough.abort();
  expect(await talk).toBeGreaterThan(0);
  await roundTrip(b, a);
  expect([...a.closes, ...b.closes]).toEqual([]);
  // It may come back, and is an ordinary client then.
  const back = await connect(place, person(9));
  await roundTrip(back, a);
  for (const connection of [a, b, back]) connection.close();
});

test("[FT6] a thousand polling sessions that were opened and left keep nobody out, and are forgotten", async () => {
  const [a, b] = [await connect(place, person(0)), await connect(place, person(1))];
  const sids: string[] = [];
  const left = Array.from({ length: 1_000 }).values();
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (const _ of left) {
        const response = await fetch(`${place.url}/socket.io/?EIO=4&transport=polling`);
        expect(response.status).toBe(200);
        sids.push((JSON.parse((await response.text()).slice(1)) as { sid: string }).sid);
      }
    }),
  );
  expect(new Set(sids).size).toBe(1_000);
  await roundTrip(a, b);
  const polling = await connect(place, person(2), { transports: ["polling"] });
  await roundTrip(polling, b);
  // A session that is there takes a pong; each is asked once only, for to ask is to be heard of.
  const isThere = async (): Promise<boolean> => {
    const url = `${place.url}/socket.io/?EIO=4&transport=polling&sid=${sids.pop()}`;
    const response = await fetch(url, { method: "POST", body: "3" });
    await response.text();
    return response.ok;
  };
  expect(await isThere()).toBe(true);
  await waitFor("the left ones to be forgotten", async () => !(await isThere()), 90_000);
  await roundTrip(a, polling);
  for (const connection of [a, b, polling]) connection.close();
});
