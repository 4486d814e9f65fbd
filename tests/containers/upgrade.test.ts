/** ops/upgrade.sh: from the data of an earlier release, and back when the new one does not work. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ChannelId } from "@lescopains/protocol/ids";
import { hash } from "bcryptjs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { rootFolder } from "../../tools/stack/root.ts";
import { granted } from "../flows/kit/rest.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { derive, docker, Installation, upgradeScript } from "./kit/compose.ts";
import { Talker } from "./kit/talk.ts";

const migrations = readdirSync(join(rootFolder, "migrations")).toSorted();
const newest = migrations.length;
/** The release before voice. */
const early = 7;

const number = (version: number): string => String(version).padStart(4, "0");
const images = ["caddy", "edge", "sfu", "tools"] as const;

/** A release that differs from the one under test by what `changed` says; the others are the same. */
async function release(
  version: string,
  changed: Partial<Record<(typeof images)[number], { lines: string; files?: Record<string, string> }>>,
) {
  for (const image of images) {
    const change = changed[image];
    if (change === undefined) await docker("tag", `lescopains/${image}:test`, `lescopains/${image}:${version}`);
    else await derive(`lescopains/${image}:${version}`, `lescopains/${image}:test`, change.lines, change.files);
  }
}

/** Later migrations, by what they do. */
function withMigrations(...statements: string[]) {
  const files = Object.fromEntries(statements.map((sql, index) => [`${number(newest + 1 + index)}-later.sql`, sql]));
  return { tools: { lines: "COPY --chmod=644 *.sql /app/migrations/", files } };
}

const broken = { edge: { lines: 'ENTRYPOINT ["/bin/false"]' } };
const releases = ["early", "failing", "unhealthy", "slow"];

let place: Installation;
beforeAll(async () => {
  const builder = await Installation.make();
  await builder.compose(["build", "-q"]);
  const onlyEarly = `#!/bin/sh\n[ "$1" != migrate ] || set -- migrate ${early}\nexec /app/start "$@"\n`;
  await release("early", {
    tools: { lines: 'COPY --chmod=755 early /app/early\nENTRYPOINT ["/app/early"]', files: { early: onlyEarly } },
  });
  await release("failing", withMigrations("DELETE FROM messages;", "CREATE TABLE half (id int);\nSELECT 1 / 0;"));
  await release("unhealthy", { ...withMigrations("DELETE FROM messages;"), ...broken });
  await release("slow", withMigrations("DELETE FROM messages;", "SELECT pg_sleep(20);"));
});
afterAll(async () => {
  const made = releases.flatMap((version) => images.map((image) => `lescopains/${image}:${version}`));
  await docker("rmi", "-f", ...made);
});

beforeEach(async () => {
  place = await Installation.make();
});
afterEach(() => place.remove());

const version = () => place.sql("SELECT max(version) FROM schema_migrations");

async function works(talker: Talker): Promise<void> {
  await talker.heardAgain(performance.now());
  expect(await talker.lost()).toEqual({ missing: [], doubled: 0 });
}

test("[UP1] the data of an earlier release is there after the upgrade, with the same sign-ins", async () => {
  await place.compose(["up", "-d", "--wait"], { VERSION: "early" });
  expect(await version()).toBe(String(early));
  const [user, server, channel, role] = [randomUUID(), randomUUID(), randomUUID() as ChannelId, randomUUID()];
  await place.sql(`
    INSERT INTO users (id, username, display_name, password_hash) VALUES ('${user}', 'odile', 'Odile', '${await hash("since the beginning", 12)}');
    INSERT INTO servers (id, name, owner_id) VALUES ('${server}', 'Les anciens', '${user}');
    INSERT INTO server_members (server_id, user_id) VALUES ('${server}', '${user}');
    INSERT INTO roles (id, server_id, name, position, is_default) VALUES ('${role}', '${server}', 'everyone', 0, true);
    INSERT INTO channels (id, server_id, name, type, last_seq) VALUES ('${channel}', '${server}', 'salon', 'text', 300);
    INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content)
      SELECT gen_random_uuid(), '${channel}', n, n, '${user}', n::text, 'mot ' || n FROM generate_series(1, 300) AS n;`);

  const { ok, output } = await place.upgrade("test");
  expect(output).toContain("Upgraded: ");
  expect(ok).toBe(true);
  expect(await version()).toBe(String(newest));
  expect(await place.sql("SELECT count(*) FROM pg_database WHERE datname = 'lescopains_before'")).toBe("0");
  await place.up();
  const { accessToken: token } = await granted(place.url, "login", {
    body: { username: "odile", password: "since the beginning" },
  });
  const page = await granted(place.url, "listMessages", { token, params: { id: channel }, query: { limit: "100" } });
  expect(page.messages.map(({ content }) => content)).toEqual(Array.from({ length: 100 }, (_, n) => `mot ${300 - n}`));
});

test("[UP2] a migration that fails leaves the release of before running, with all that was acknowledged", async () => {
  await place.up();
  const talker = await Talker.start(place.url);
  const { ok, output } = await place.upgrade("failing");
  expect(ok).toBe(false);
  expect(output).toMatch(/later\.sql failed: division by zero/);
  expect(output).toContain("the version of before is running");
  expect(await version()).toBe(String(newest));
  await works(talker);

  expect((await place.upgrade("test")).ok).toBe(true);
  await works(talker);
  await talker.stop();
});

test("[UP3] so does a release that does not become healthy after its migrations", async () => {
  await place.up();
  const talker = await Talker.start(place.url);
  const { ok, output } = await place.upgrade("unhealthy");
  expect(ok).toBe(false);
  expect(output).toContain("the version of before is running");
  expect(await version()).toBe(String(newest));
  await works(talker);
  await talker.stop();
});

test("[UP4] an upgrade that was killed is taken back by the next", async () => {
  await place.up();
  const talker = await Talker.start(place.url);
  const upgrade = spawn(upgradeScript, ["--here"], {
    cwd: rootFolder,
    env: place.environment({ VERSION: "slow" }),
    detached: true,
    stdio: "ignore",
  });
  await waitFor("the migrations", async () => (await version()) === String(newest + 1), 120_000);
  process.kill(-(upgrade.pid ?? 0), "SIGKILL");
  expect(await place.sql("SELECT count(*) FROM messages")).toBe("0");

  const { ok, output } = await place.upgrade("test");
  expect(ok).toBe(false);
  expect(output).toContain("An upgrade was interrupted");
  await works(talker);
  expect((await place.upgrade("test")).ok).toBe(true);
  await works(talker);
  await talker.stop();
});

test("[UP5] where nothing runs there is nothing to upgrade", async () => {
  const { ok, output } = await place.upgrade("test");
  expect(ok).toBe(false);
  expect(output).toContain("docker compose up -d --wait starts this version");
});
