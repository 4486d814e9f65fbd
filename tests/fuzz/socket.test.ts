import { ErrorBody } from "@lescopains/protocol/errors";
import { UP, type UpEvent } from "@lescopains/protocol/up";
import fc from "fast-check";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw, RawSocket } from "../flows/kit/raw.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { everyPlace, jsonTexts } from "./mutations.ts";
import { validFor } from "./valid-values.ts";
import { type Attacker, attackerIn, type Bystander, CANARY, plantCanaries, startBystander } from "./world.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_122);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 600);
/** Below the burst that a connection is allowed. */
const FRAMES_A_CONNECTION = 150;
const EVENTS = Object.keys(UP) as UpEvent[];

let place: Place;
let victims: Awaited<ReturnType<typeof plantCanaries>>;
let bystander: Bystander;
let pid: number;
beforeAll(async () => {
  place = await startPlace();
  victims = await plantCanaries(place);
  bystander = await startBystander(place);
  ({ pid } = place.stack.workerd);
});
afterAll(() => place.stop());

const Refused = v.object({ ok: v.literal(false), error: ErrorBody });

/** An acknowledgement of the contract; `unavailable` and `internal` are no answers while PostgreSQL is up. */
function judge(event: UpEvent, answer: unknown, fits: boolean, what: string): boolean {
  const parsed = v.safeParse(UP[event].answer, answer);
  expect(parsed.success, `${what} → ${JSON.stringify(answer).slice(0, 300)}`).toBe(true);
  const refused = v.safeParse(Refused, answer);
  if (refused.success)
    expect(["unavailable", "internal"], `${what} → ${refused.output.error.code}`).not.toContain(
      refused.output.error.code,
    );
  else expect(fits, `${what} does not fit, and was granted`).toBe(true);
  return !refused.success;
}

/** How deep a JSON text nests, by its brackets. */
function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const character of json) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, (depth += 1));
    else if (character === "]" || character === "}") depth -= 1;
  }
  return deepest;
}

/** What nests deeper than anything of ours does is no packet to the edge, and closes its connection. */
const DEEP = 50;

describe("[FZ11] whatever an event carries, its acknowledgement grants or refuses it with a code, and no one else's data comes:", () => {
  test.each(EVENTS)(
    "%s",
    async (event) => {
      const attacker = await attackerIn(place, victims.ids);
      const valid = validFor(UP[event].body, attacker.ids);
      const all = [...fc.sample(jsonTexts(valid), { seed: SEED, numRuns: RUNS }), ...everyPlace(valid, SEED)];
      const texts = all.filter((json) => depthOf(json) <= DEEP);
      for (const json of new Set(all.filter((text) => depthOf(text) > DEEP).slice(0, 5))) {
        const socket = await connectRaw(place, attacker.person);
        await expect(socket.ask(event, json), json.slice(0, 100)).rejects.toThrow("closed with 1002 parse error");
      }
      let granted = 0;
      for (let from = 0; from < texts.length; from += FRAMES_A_CONNECTION) {
        const socket = await connectRaw(place, attacker.person);
        await Promise.all(
          texts.slice(from, from + FRAMES_A_CONNECTION).map(async (json) => {
            const what = `${event} ${json.slice(0, 300)} (seed ${SEED})`;
            const answer = await socket.ask(event, json).catch((error: unknown) => {
              throw new Error(`no answer to ${what}`, { cause: error });
            });
            if (judge(event, answer, v.is(UP[event].body, JSON.parse(json)), what)) granted += 1;
          }),
        );
        expect(socket.frames.join("\n")).not.toContain(CANARY);
        expect(socket.closed).toBeUndefined();
        socket.close();
      }
      expect(granted, "events that were granted").toBeGreaterThan(0);
    },
    120_000,
  );
});

/** Frames that are no event of the contract, or nothing at all. */
const FRAMES: readonly (string | Buffer)[] = [
  "",
  "9",
  "x",
  "4",
  "42",
  "42[",
  "42[]",
  "42{}",
  '42"text"',
  "42[1]",
  "42[null]",
  '42[["message:send"]]',
  "42[{}]",
  '42["message:send"]',
  '42["message:send",null,null,null]',
  `42["${"e".repeat(10_000)}",{}]`,
  '42["\\u0000",{}]',
  '42["__proto__",{}]',
  '42["constructor",{}]',
  '42["toString"]',
  '42["ready",{}]',
  '42["connect"]',
  '42["disconnect","x"]',
  '42["connect_error"]',
  '42["message:new",{"id":"x"}]',
  '4299999999999999999999["sync",{}]',
  '42-1["sync",{}]',
  '421.5["sync",{}]',
  '42/other,["sync",{}]',
  "40",
  '40{"token":"x"}',
  "40/admin,{}",
  "40[",
  "41/other,",
  '43["x"]',
  "431[1]",
  "43999[]",
  "44{}",
  '451-["message:send",{"_placeholder":true,"num":0}]',
  '4599999-["x"]',
  '45-["x"]',
  '452-["x",{"_placeholder":true,"num":0}]',
  '46["x"]',
  "2",
  "3",
  "2probe",
  "5",
  "6",
  "1",
  "0{}",
  `42["message:send",${"[".repeat(5_000)}${"]".repeat(5_000)}]`,
  `42["sync",{"channels":{${Array.from({ length: 900 }, (_, n) => `"k${n}":0`).join(",")}}}]`,
  "\u0000",
  "4\u0000",
  '42["\ud83d\udc4b"]',
  Buffer.from([]),
  Buffer.from([1, 2, 3]),
  Buffer.alloc(60_000, 0xff),
  `42["message:send","${"x".repeat(65_530)}"]`,
  `4${"4".repeat(200_000)}`,
];

test("[FZ12] any frame is answered, ignored or closed with a reason: never with another person's data, never at others' cost", async () => {
  const { person } = await attackerIn(place, victims.ids);
  for (const frame of FRAMES) {
    const socket = await connectRaw(place, person);
    socket.ws.send(frame);
    // A question behind it: it is answered, or the frame had closed the connection.
    if (frame !== "41") socket.ws.send('427["presence:ping",{}]');
    const what = JSON.stringify(frame.toString().slice(0, 60));
    await waitFor(
      `an answer or a close after ${what}`,
      () => socket.closed !== undefined || socket.frames.some((one) => one.startsWith("437[")),
    );
    if (socket.closed !== undefined) {
      expect(
        [1000, 1002, 1003, 1007, 1008, 1009],
        `${what} closed with ${socket.closed.code} ${socket.closed.reason}`,
      ).toContain(socket.closed.code);
    }
    expect(socket.frames.join("\n")).not.toContain(CANARY);
    socket.close();
  }
});

test("[FZ13] whatever comes before the namespace is refused or closed with a reason", async () => {
  for (const opening of [
    "41",
    '42["sync",{"channels":{}}]',
    "40",
    '40{"token":5}',
    '40{"token":{"a":1}}',
    "40[]",
    '40"x"',
    "40null",
    `40{"token":"${"x".repeat(60_000)}"}`,
    "40/__proto__,{}",
    "2",
    "x",
    Buffer.from([0]),
  ]) {
    const socket = new RawSocket(place.url);
    await socket.until((frame) => frame.startsWith("0{"));
    socket.ws.send(opening);
    socket.ws.send('427["presence:ping",{}]');
    const what = JSON.stringify(opening.toString().slice(0, 60));
    await waitFor(
      `a refusal or a close after ${what}`,
      () => socket.closed !== undefined || socket.frames.some((one) => one.startsWith("44")),
    );
    expect(
      socket.frames.some((frame) => frame.startsWith("437") || frame.startsWith("42")),
      what,
    ).toBe(false);
    socket.close();
  }
});

test("[FZ14] requests that are no Engine.IO are refused with a 4xx", async () => {
  const attacker: Attacker = await attackerIn(place, victims.ids);
  for (const query of [
    "",
    "?EIO=3&transport=polling",
    "?EIO=4",
    "?EIO=4&transport=carrier-pigeon",
    "?EIO=4&transport=polling&sid=nothing",
    "?EIO=4&transport=polling&sid=0.__proto__",
    "?EIO=4&transport=polling&sid=99.x",
    `?EIO=4&transport=polling&sid=${"9".repeat(5_000)}`,
    "?EIO=4&transport=websocket",
    "?EIO=4&transport=polling&j=0&EIO=3",
  ]) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${place.url}/socket.io/${query}`, {
        method,
        headers: { authorization: `Bearer ${attacker.person.token}` },
        ...(method === "POST" || method === "PUT" ? { body: "x".repeat(100) } : {}),
      });
      const opens = method === "GET" && query === "?EIO=4&transport=polling&j=0&EIO=3";
      await response.text();
      if (!opens && method !== "OPTIONS")
        expect([400, 403, 404, 405, 413, 426], `${method} ${query.slice(0, 80)}`).toContain(response.status);
      expect(response.status).toBeLessThan(500);
    }
  }
});

test("[FZ15] through all of it the process lived, others went on talking, and nothing was logged as an error", async () => {
  expect(place.stack.workerd.pid).toBe(pid);
  const { roundTrips } = await bystander.leave();
  expect(roundTrips).toBeGreaterThan(20);
  const log = place.log();
  expect(log.split("\n").filter((line) => /"level":"error"|uncaught|panic/i.test(line))).toEqual([]);
  expect(log).not.toContain(CANARY);
});
