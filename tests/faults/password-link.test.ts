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

test("[FT22] a kill of the edge while a link sets a password leaves the old password with the link, or the new one with no session", async () => {
  const [operator] = (await enroll(place, 1)) as [Person];
  await place.sql.query("UPDATE users SET operator = true WHERE id = $1", [operator.id]);
  const person = await register(place);
  const { secret } = await granted(place.url, "makePasswordLink", { token: operator.token, params: { id: person.id } });
  const signIn = (password: string) =>
    call(place.url, "login", { body: { username: person.username, password } }).then(({ status }) => status);
  const passwords = [person.password, "the first new one", "the second new one"];
  for (const [stored, password] of [
    [false, "the first new one"],
    [true, "the second new one"],
  ] as const) {
    const answer = call(place.url, "usePasswordLink", { body: { secret, password } }).catch(() => undefined);
    // At once, while the password is being hashed; then when PostgreSQL has it, before the answer.
    if (stored)
      await waitFor("the password to be stored", async () => {
        const { rows } = await place.sql.query(
          "SELECT FROM users WHERE id = $1 AND password_link_used_at IS NOT NULL",
          [person.id],
        );
        return rows.length > 0;
      });
    await place.stack.workerd.kill9();
    await answer;
    await place.stack.workerd.restart();
    const body = { secret };
    const works = stored ? password : person.password;
    for (const each of passwords) expect([each, await signIn(each)]).toEqual([each, each === works ? 200 : 401]);
    expect((await call(place.url, "readPasswordLink", { body })).status).toBe(stored ? 403 : 200);
    expect((await call(place.url, "getSelf", { token: person.token })).status).toBe(stored ? 401 : 200);
  }
});
