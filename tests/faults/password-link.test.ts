import { afterAll, beforeAll, expect, test } from "vitest";
import { enroll, type Person, register } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { call, granted } from "../flows/kit/rest.ts";
import { waitFor } from "../flows/kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

/** Once a link was used, and that is committed, who ends sessions waits for an advisory lock: what the edge asks of PostgreSQL next. */
const HOLD = `
  CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF EXISTS (SELECT FROM users WHERE password_link_used_at IS NOT NULL AND xmin <> pg_current_xact_id()::xid) THEN
      PERFORM pg_advisory_xact_lock(22);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER hold BEFORE DELETE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION hold()`;

test("[FT22] a kill of the edge while a link sets a password leaves the old password with the link, or the new one with no session", async () => {
  const { url, sql, stack } = place;
  const [operator] = (await enroll(place, 1)) as [Person];
  await sql.query("UPDATE users SET operator = true WHERE id = $1", [operator.id]);
  const person = await register(place);
  const { secret } = await granted(url, "makePasswordLink", { token: operator.token, params: { id: person.id } });
  const use = (password: string) =>
    call(url, "usePasswordLink", { body: { secret, password } }).then(
      ({ status }) => status,
      () => "no answer",
    );
  const killed = async (): Promise<void> => {
    await stack.workerd.kill9();
    await stack.workerd.restart();
  };
  const [first, second] = ["the first new one", "the second new one"] as const;
  /** Who gets in with which password, whether the link works, and whether the session of before lives. */
  async function now() {
    const signedIn = [];
    for (const password of [person.password, first, second]) {
      const { ok } = await call(url, "login", { body: { username: person.username, password } });
      if (ok) signedIn.push(password);
    }
    const link = (await call(url, "readPasswordLink", { body: { secret } })).ok;
    return { signedIn, link, session: (await call(url, "getSelf", { token: person.token })).ok };
  }

  // While the password is being hashed.
  const early = use(first);
  await killed();
  expect(await early).toBe("no answer");
  expect(await now()).toEqual({ signedIn: [person.password], link: true, session: true });

  // When PostgreSQL has the new one, and before anything else is asked of it.
  await sql.query(HOLD);
  const holder = await sql.connect();
  await holder.query("SELECT pg_advisory_lock(22)");
  const late = use(second);
  const waits = await waitFor("the password to be stored", async () => {
    const { rows } = await sql.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'",
    );
    return rows[0];
  });
  await stack.workerd.kill9();
  await sql.query("SELECT pg_terminate_backend($1)", [waits.pid]);
  await sql.query("DROP TRIGGER hold ON sessions");
  await holder.query("SELECT pg_advisory_unlock(22)");
  holder.release();
  await stack.workerd.restart();
  expect(await late).toBe("no answer");
  expect(await now()).toEqual({ signedIn: [second], link: false, session: false });
});
