import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GateAnswer } from "../../edge/src/db/port.ts";
import { type Postgres, startPostgres } from "../../tools/stack/postgres.ts";
import { startSupervisor, type Supervisor } from "../../tools/stack/supervisor.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { type Gate, startGate } from "./gate.ts";
import { startWsProxy, type WsProxy } from "./ws-proxy.ts";

let folder: string;
let supervisor: Supervisor;
let postgres: Postgres;
let proxy: WsProxy;
const DRIVERS = ["pg", "neon"] as const;
const gates = new Map<string, Gate>();
/** Ten seconds pass for both, and for the tests before [DB48], at the same time. */
const sleepers = new Map<string, Promise<GateAnswer>>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-drivers-"));
  supervisor = startSupervisor({ recordFile: join(folder, "processes.json"), onCrash: () => undefined });
  const password = randomBytes(16).toString("hex");
  const logFile = join(folder, "postgres.log");
  postgres = await startPostgres({ dataDir: folder, logFile, password, supervisor, log: () => undefined });
  proxy = await startWsProxy();
  for (const driver of DRIVERS) {
    const gate = await startGate({
      DATABASE_URL: postgres.connectionString,
      DATABASE_DRIVER: driver,
      NEON_PROXY: proxy.url,
      PG_POOL_SIZE: "3",
    });
    gates.set(driver, gate);
    sleepers.set(driver, gate.query("sleeper", "SELECT pg_sleep(20)"));
  }
});
afterAll(async () => {
  await Promise.all([...gates.values()].map((gate) => gate.stop()));
  await proxy.stop();
  await postgres.stop();
  supervisor.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Until PostgreSQL works on a statement. */
async function underWay(text: string): Promise<void> {
  const onlooker = new Client({ connectionString: postgres.connectionString });
  await onlooker.connect();
  await waitFor("the statement to be under way", async () => {
    const { rowCount } = await onlooker.query("SELECT FROM pg_stat_activity WHERE query = $1 AND state = 'active'", [
      text,
    ]);
    return rowCount !== 0;
  });
  await onlooker.end();
}

describe.each(DRIVERS)("over the driver %s", (driver) => {
  const schema = `of_${driver}`;
  beforeAll(async () => {
    await sql(`CREATE SCHEMA ${schema}`);
    await sql(`CREATE TABLE ${schema}.people (id int CONSTRAINT people_once PRIMARY KEY)`);
    await sql(`CREATE TABLE ${schema}.pets (owner int CONSTRAINT pets_owner REFERENCES ${schema}.people)`);
  });

  function ask(name: string, text: string, values: readonly unknown[] = []): Promise<GateAnswer> {
    const gate = gates.get(driver);
    if (gate === undefined) throw new Error("its gate was started");
    return gate.query(name, text, values);
  }

  let statements = 0;
  function sql(text: string, values: readonly unknown[] = []): Promise<GateAnswer> {
    statements += 1;
    return ask(`s${statements}`, text, values);
  }

  test("[DB41] statements go the way that was chosen", async () => {
    const answer = await sql("SELECT inet_client_port() AS port");
    const { port } = (answer.ok ? answer.rows[0] : undefined) as { port: number };
    expect(proxy.localPorts().includes(port)).toBe(driver === "neon");
  });

  test("[DB42] values go in and come out as db/port.ts promises", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    const text = "é 🦊 ' \\ \u0001";
    expect(
      await sql(
        `SELECT $1::bigint AS big, $2::timestamptz AS moment, $3::jsonb AS json, $4::bytea AS bytes, $5::text[] AS texts, $6::bytea[] AS many,
           $7::uuid AS id, $8::bool AS yes, $9::text AS nothing, $10::text AS text, 12345678901::int8 AS sum, $11::int[] AS none`,
        [
          2 ** 53 - 1,
          "2026-11-26T10:00:00.123Z",
          JSON.stringify({ deep: [1, { text }] }),
          bytes,
          [text, null, "NULL", ""],
          [bytes, new Uint8Array()],
          "019ac000-0000-7000-8000-000000000001",
          true,
          null,
          text,
          [],
        ],
      ),
    ).toEqual({
      ok: true,
      rows: [
        {
          big: 2 ** 53 - 1,
          moment: "2026-11-26T10:00:00.123Z",
          json: { deep: [1, { text }] },
          bytes,
          texts: [text, null, "NULL", ""],
          many: [bytes, new Uint8Array()],
          id: "019ac000-0000-7000-8000-000000000001",
          yes: true,
          nothing: null,
          text,
          sum: 12_345_678_901,
          none: [],
        },
      ],
    });
  });

  test("[DB43] what takes many frames goes in and comes out whole", async () => {
    const large = randomBytes(300_000).toString("base64");
    const answer = await sql("SELECT $1::text AS large, md5($1::text) AS digest", [large]);
    expect(answer).toEqual({ ok: true, rows: [{ large, digest: createHash("md5").update(large).digest("hex") }] });
  });

  test("[DB44] refusals have one kind, whatever the driver", async () => {
    expect(await sql(`INSERT INTO ${schema}.people VALUES (1)`)).toMatchObject({ ok: true });
    expect(await sql(`INSERT INTO ${schema}.people VALUES (1)`)).toMatchObject({
      ok: false,
      kind: "unique",
      constraint: "people_once",
    });
    expect(await sql(`INSERT INTO ${schema}.pets VALUES (7)`)).toMatchObject({
      ok: false,
      kind: "foreign_key",
      constraint: "pets_owner",
    });
    expect(await sql("SELECT 1 / $1::int AS none", [0])).toMatchObject({ ok: false, kind: "failed" });
    expect(await sql("SELEC 1")).toMatchObject({ ok: false, kind: "failed" });
  });

  test("[DB45] a prepared statement is prepared once on each connection, and answers again and again", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => ask("double", "SELECT $1::int * 2 AS twice", [n])),
    );
    expect(answers).toEqual(answers.map((_, n) => ({ ok: true, rows: [{ twice: n * 2 }] })));
    const prepared = await sql("SELECT count(*) AS count FROM pg_prepared_statements WHERE name = 'double'");
    expect(prepared).toEqual({ ok: true, rows: [{ count: 1 }] });
  });

  test("[DB46] a statement that takes more than ten seconds is given up on", async () => {
    // Both, before [DB48] stops PostgreSQL under them.
    for (const sleeper of sleepers.values()) {
      expect(await sleeper).toMatchObject({
        ok: false,
        kind: "unavailable",
        message: expect.stringMatching("timeout") as string,
      });
    }
    expect(await sql("SELECT 1 AS one")).toEqual({ ok: true, rows: [{ one: 1 }] });
  });

  test("[DB47] a connection that PostgreSQL ends is unavailable to whom it served, and the next statement has another", async () => {
    const cut = sql("SELECT pg_terminate_backend(pg_backend_pid())");
    expect(await cut).toMatchObject({ ok: false, kind: "unavailable" });
    await waitFor("an answer", async () => (await sql("SELECT 1 AS one")).ok);
  });

  test("[DB48] without PostgreSQL statements are unavailable soon; with it again they are answered", async () => {
    const busy = sql("SELECT pg_sleep(60)");
    await underWay("SELECT pg_sleep(60)");
    await postgres.stop();
    expect(await busy).toMatchObject({ ok: false, kind: "unavailable" });
    expect(await sql("SELECT 1 AS one")).toMatchObject({ ok: false, kind: "unavailable" });
    await postgres.start();
    await waitFor("an answer", async () => (await sql("SELECT 1 AS one")).ok);
  });
});

test("[DB49] Neon's driver: a network that breaks, and a proxy that is not there", async () => {
  const own = await startWsProxy();
  const gate = await startGate({
    DATABASE_URL: postgres.connectionString,
    DATABASE_DRIVER: "neon",
    NEON_PROXY: own.url,
  });
  expect(await gate.query("one", "SELECT 1 AS one")).toEqual({ ok: true, rows: [{ one: 1 }] });
  const broken = gate.query("sleep", "SELECT pg_sleep(60)");
  await underWay("SELECT pg_sleep(60)");
  own.cut();
  expect(await broken).toMatchObject({ ok: false, kind: "unavailable" });
  await waitFor("an answer", async () => (await gate.query("one", "SELECT 1 AS one")).ok);
  await own.stop();
  expect(await gate.query("one", "SELECT 1 AS one")).toMatchObject({ ok: false, kind: "unavailable" });
  await gate.stop();
});
