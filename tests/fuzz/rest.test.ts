import { request } from "node:http";
import { ERRORS, ErrorResponse } from "@lescopains/protocol/errors";
import type { Route } from "@lescopains/protocol/rest";
import { ROUTES } from "@lescopains/protocol/routes";
import fc from "fast-check";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw, type RawSocket } from "../flows/kit/raw.ts";
import { enroll, type Person, tokenFor } from "../flows/kit/people.ts";
import { granted } from "../flows/kit/rest.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { FakeSfu } from "../flows/kit/sfu.ts";
import { bodies, everyPlace, hostileWords } from "./mutations.ts";
import { validFor } from "./valid-values.ts";
import { type Attacker, attackerIn, type Bystander, CANARY, plantCanaries, startBystander } from "./world.ts";

/** The same requests each time; `FUZZ_SEED` and `FUZZ_RUNS` look further. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_122);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 80);
/** Of what costs a bcrypt comparison, 300 ms of CPU, a few do. */
const RUNS_WITH_PASSWORD = Math.ceil(RUNS / 5);
const AT_ONCE = 6;
const HUGE_BYTES = 10 * 1024 * 1024;
const ALL: readonly (readonly [string, Route])[] = Object.entries(ROUTES);

/** Routes that are granted only to who knows a password, a code, a link's secret, or an account's identity key. */
const NEEDS_A_SECRET = new Set([
  "claimInstance",
  "readPasswordLink",
  "usePasswordLink",
  "totpEnable",
  "totpDisable",
  "deleteSelf",
  "putDevice",
  "putDevices",
]);

let place: Place;
let victims: Awaited<ReturnType<typeof plantCanaries>>;
let bystander: Bystander;
let pid: number;
let sfu: FakeSfu;
beforeAll(async () => {
  // The limits by address are part of the product: a few attempts pass, the others are answered rate_limited.
  place = await startPlace({ REGISTER_LIMIT: "8", LOGIN_LIMIT: "8" });
  sfu = await new FakeSfu(place).start();
  victims = await plantCanaries(place);
  bystander = await startBystander(place);
  ({ pid } = place.stack.workerd);
});
afterAll(async () => {
  sfu.kill();
  await place.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

const CUT: Answer = { status: 0, text: "" };

/** Sends bytes as they are: `fetch` would put paths and headers in order first. */
function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${place.url}/`,
      { method, path, headers: { connection: "close", ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
        response.on("error", reject);
      },
    );
    // Refused while it is still being sent: the connection may be cut before the answer is read.
    sent.on("error", (error) => ("code" in error && error.code === "EPIPE" ? resolve(CUT) : reject(error)));
    sent.end(body);
  });
}

/** Path, query and the route's own headers as they go over the wire. */
interface Target {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the contract accepts parameters, query and headers. */
  readonly fits: boolean;
}

function targets(route: Route, attacker: Attacker): fc.Arbitrary<Target> {
  const words = (schema: v.GenericSchema | undefined): fc.Arbitrary<Record<string, string>> =>
    schema === undefined ? fc.constant({}) : (validFor(schema, attacker.ids) as fc.Arbitrary<Record<string, string>>);
  // The schema of a query gives numbers for texts: what is sent is made from what goes in.
  return fc
    .tuple(words(route.params), words(route.query), words(route.headers), fc.nat(9), fc.nat(9), hostileWords)
    .map(([params, query, own, where, spoil, hostile]) => {
      const headers = { ...own };
      const sentParams = { ...params };
      const sentQuery: Record<string, string> = Object.fromEntries(
        Object.entries(query).filter(([, value]) => value !== undefined),
      );
      const paramNames = Object.keys(sentParams);
      const queryNames = [...Object.keys(sentQuery), "before", "after", "limit", "__proto__", "x"];
      if (spoil === 0 && paramNames.length > 0) sentParams[paramNames[where % paramNames.length] ?? ""] = hostile;
      if (spoil <= 3 && route.query !== undefined) sentQuery[queryNames[where % queryNames.length] ?? "x"] = hostile;
      for (const name of spoil === 4 ? Object.keys(headers) : [])
        headers[name] = encodeURIComponent(hostile.toWellFormed());
      const encode = (text: string): string => encodeURIComponent(text.toWellFormed());
      const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => encode(sentParams[name] ?? ""));
      const search = Object.entries(sentQuery).map(([name, value]) => `${encode(name)}=${encode(value)}`);
      const fits =
        (route.params === undefined || v.is(route.params, sentParams)) &&
        (route.query === undefined || v.is(route.query, sentQuery)) &&
        (route.headers === undefined || v.is(route.headers, headers));
      return { path: search.length === 0 ? path : `${path}?${search.join("&")}`, headers, fits };
    });
}

/** What a body is to the contract: it fits, it does not, or nobody can say (more than one reading of it). */
function bodyFits(route: Route, body: string | Buffer): boolean {
  if (route.body === undefined) return true;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body));
    return v.is(route.body, text === "" ? {} : JSON.parse(text));
  } catch {
    return false;
  }
}

/** A 2xx that fits the contract, or a 4xx with a code of the closed list and its own status; never anyone else's data. */
function judge(name: string, route: Route, { status, text }: Answer, what: string): void {
  expect(text, what).not.toContain(CANARY);
  if (status < 400) {
    if (status !== route.foundStatus) expect(status, what).toBe(route.status);
    if (route.answer !== undefined) {
      const parsed = v.safeParse(route.answer, JSON.parse(text));
      expect(parsed.success ? "" : v.summarize(parsed.issues), `${name} answers what the contract says`).toBe("");
    }
    return;
  }
  expect(status, `${what} → ${text.slice(0, 300)}`).toBeLessThan(500);
  const { error } = v.parse(ErrorResponse, JSON.parse(text));
  expect(ERRORS[error.code].status, what).toBe(status);
}

function asksPassword({ body }: Route): boolean {
  return (
    body !== undefined && "entries" in body && Object.keys(body.entries as object).some((key) => /password/i.test(key))
  );
}

async function inTurns<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of left) await task(item);
    }),
  );
}

function quote(body: string | Buffer | undefined): string {
  return body === undefined ? "" : JSON.stringify(body.toString("utf8").slice(0, 300));
}

/** Sends a route all sorts of things, in the name of an attacker; answers how many requests were granted. */
async function attack(name: string, route: Route, attacker: Attacker): Promise<number> {
  const socket: RawSocket = await connectRaw(place, attacker.person);
  const [spare] = (await enroll(place, 1)) as [Person];
  const tokens: fc.Arbitrary<string> = fc.oneof(
    { weight: 12, arbitrary: fc.constant(`Bearer ${attacker.person.token}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "",
        "Bearer",
        "Bearer x.y.z",
        `Bearer ${await tokenFor(place, spare, -1_000)}`,
        "Basic YTpi",
        `bearer  ${spare.token}`,
      ),
    },
  );
  const contentTypes = fc.constantFrom(
    "application/json",
    "application/json",
    "application/json",
    "text/plain",
    "application/xml",
    "multipart/form-data",
    "",
  );
  const bodyOf =
    route.body === undefined ? fc.constantFrom(undefined, "{}", "[", "x") : bodies(validFor(route.body, attacker.ids));
  const target = targets(route, attacker);
  const chance = fc.record({ target, authorization: tokens, contentType: contentTypes, body: bodyOf });
  const cases = fc.sample(chance, { seed: SEED, numRuns: asksPassword(route) ? RUNS_WITH_PASSWORD : RUNS });
  // Each of these meets several targets: the attacker's own, shared ones, other people's.
  const sharp = route.body === undefined ? [] : everyPlace(validFor(route.body, attacker.ids), SEED);
  const meetings = asksPassword(route) ? RUNS_WITH_PASSWORD : sharp.length === 0 ? 0 : Math.max(RUNS, sharp.length);
  const fitting = target.filter(({ fits }) => fits);
  for (const [index, at] of (meetings === 0 ? [] : fc.sample(fitting, { seed: SEED, numRuns: meetings })).entries()) {
    const body = sharp[index % sharp.length];
    cases.push({
      target: at,
      authorization: `Bearer ${attacker.person.token}`,
      contentType: "application/json",
      body,
    });
  }
  let count = 0;
  await inTurns(cases, async ({ target: { path, headers, fits: targetFits }, authorization, contentType, body }) => {
    const what = `${route.method} ${path.slice(0, 200)} ${quote(body)} (seed ${SEED})`;
    const hasBody = body !== undefined && route.method !== "GET";
    const answer = await send(
      route.method,
      path,
      {
        ...headers,
        ...(authorization === "" ? {} : { authorization }),
        ...(contentType === "" ? {} : { "content-type": contentType }),
        ...(hasBody ? { "content-length": String(Buffer.byteLength(body)) } : {}),
      },
      hasBody ? body : undefined,
    );
    judge(name, route, answer, what);
    const fits = targetFits && (!hasBody || bodyFits(route, body));
    if (!fits)
      expect(
        answer.status,
        `${what} does not fit, and was answered ${answer.text.slice(0, 200)}`,
      ).toBeGreaterThanOrEqual(400);
    if (answer.status < 400) count += 1;
  });
  expect(socket.frames.join("\n")).not.toContain(CANARY);
  socket.close();
  return count;
}

describe("[FZ1] whatever is sent to a route, it answers a 2xx of the contract or a 4xx with a code, and no one else's data:", () => {
  test.each(ALL)("%s", async (name, route) => {
    const done = await attack(name, route, await attackerIn(place, victims.ids));
    // The requests must not all have died at the door, where operators' alone all do.
    if (route.auth === "operator") expect(done, "granted to who is no operator").toBe(0);
    if (route.auth === "user" && !NEEDS_A_SECRET.has(name))
      expect(done, "requests that were granted").toBeGreaterThan(0);
  });
});

test("[FZ1] pinned: a code with NUL for a server that one is not in is refused as a code that does not exist", async () => {
  const { person } = await attackerIn(place, victims.ids);
  const headers = { authorization: `Bearer ${person.token}`, "content-type": "application/json" };
  const what = "joinServer with NUL";
  const answer = await send("POST", `/api/servers/${victims.server.id}/join`, headers, '{"code":"\\u0000"}');
  judge("joinServer", ROUTES.joinServer, answer, what);
  expect(answer.status).toBeGreaterThanOrEqual(400);
});

describe("[FZ2] a body of 10 MB is refused with too_large, or cut off, announced or not:", () => {
  test.each(ALL.filter(([, route]) => route.body !== undefined))("%s", async (_name, route) => {
    const attacker = await attackerIn(place, victims.ids);
    const { person } = attacker;
    // Others are refused before anything is read.
    if (route.auth === "operator") await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [person.id]);
    const [target] = fc.sample(
      targets(route, attacker).filter(({ fits }) => fits),
      { seed: SEED, numRuns: 1 },
    );
    if (target === undefined) throw new Error("a target that fits");
    const body = Buffer.alloc(HUGE_BYTES, 0x20);
    for (const length of [{ "content-length": String(HUGE_BYTES) }, { "transfer-encoding": "chunked" }]) {
      const headers = { authorization: `Bearer ${person.token}`, "content-type": "application/json", ...length };
      const { status, text } = await send(route.method, target.path, { ...target.headers, ...headers }, body);
      if (status === CUT.status) continue;
      expect(status, text.slice(0, 200)).toBe(413);
      expect(JSON.parse(text)).toMatchObject({ error: { code: "too_large" } });
    }
  });
});

test("[FZ3] paths and methods that the contract does not have are refused with not_found or method_not_allowed", async () => {
  const { person } = await attackerIn(place, victims.ids);
  const headers = { authorization: `Bearer ${person.token}` };
  for (const path of [
    "/api",
    "/api/",
    "/api/nothing",
    "/api/auth/register/",
    "//api/users/@me",
    "/api/users/%40me/..",
    "/api/%",
    "/api/users/%00",
    "/api/servers//invites",
  ]) {
    const { status, text } = await send("GET", path, headers);
    expect([200, 400, 404, 405], `${path} ${text}`).toContain(status);
    expect(text, path).not.toContain(CANARY);
  }
  for (const method of ["PUT", "PATCH", "DELETE", "POST", "GET"]) {
    for (const [, route] of ALL) {
      const known = ALL.some(([, other]) => other.path === route.path && other.method === method);
      if (known || route.path.includes(":")) continue;
      const { status, text } = await send(method, route.path, headers);
      expect(JSON.parse(text), `${method} ${route.path}`).toMatchObject({
        error: { code: status === 405 ? "method_not_allowed" : "not_found" },
      });
    }
  }
});

// Last, because operators disable and delete the others.
describe("[FZ5] so for who runs the instance, who sees accounts, and nothing that anybody wrote:", () => {
  beforeAll(async () => {
    await place.sql.query("UPDATE users SET display_name = 'Ada', email = NULL WHERE id = ANY ($1)", [
      victims.ids["UserId"],
    ]);
  });

  test.each(ALL.filter(([, route]) => route.auth === "operator"))("%s", async (name, route) => {
    const { person, ids } = await attackerIn(place, victims.ids);
    const { token } = person;
    await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [person.id]);
    const { code } = await granted(place.url, "createInstanceInvite", {
      token,
      body: { maxUses: 1, expiresIn: 3_600 },
    });
    const others = (await enroll(place, 3)).map(({ id }) => id);
    const UserId = [person.id, ...others, ...(victims.ids["UserId"] ?? [])];
    const pool = { ...ids, UserId, code: [code], node: [sfu.id] };
    const done = await attack(name, route, { person, ids: pool });
    expect(done, "requests that were granted").toBeGreaterThan(0);
  });

  test("its log has a line for each change, in the names of operators alone", async () => {
    const { rows } = await place.sql.query<{ action: string; known: boolean }>(
      `SELECT action, bool_and(operator_id <> ALL ($1::uuid[])) AS known FROM operator_log GROUP BY action`,
      [victims.ids["UserId"]],
    );
    expect(rows.filter(({ known }) => !known)).toEqual([]);
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["user.disable", "user.promote", "instance.change", "invite.create"]),
    );
  });
});

test("[FZ4] through all of it the process lived, others went on talking, and nothing was logged as an error", async () => {
  expect(place.stack.workerd.pid).toBe(pid);
  const { roundTrips } = await bystander.leave();
  expect(roundTrips).toBeGreaterThan(100);
  const log = place.log();
  expect(log.split("\n").filter((line) => /"level":"error"|uncaught|panic/i.test(line))).toEqual([]);
  expect(log).not.toContain(CANARY);
});
