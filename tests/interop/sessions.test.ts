import { IdentityKeyPair, PrivateKey, PublicKey } from "@signalapp/libsignal-client";
import { describe, expect, test } from "vitest";
import { dayMs, startMs } from "./kit/device.ts";
import { EngineDevice } from "./kit/engine.ts";
import { OfficialDevice, owned } from "./kit/official.ts";
import { acquainted, alice, bob, device, pair, roles, say, text } from "./kit/people.ts";

const whisper = 2;
const preKey = 3;

describe.each(roles)("%s begins, %s answers", (first, second) => {
  const kinds = [first, second] as const;

  test.each([false, true])(
    "[SE1] a session begins and goes on; without one-time prekey: %s",
    async (withoutOneTime) => {
      const [a, b] = await pair(kinds);
      await a.begin(b.address, await b.newBundle({ withoutOneTime }));
      for (const words of ["one", "two", ""]) {
        const message = await a.send(b.address, text(words));
        expect(message.type).toBe(preKey);
        expect(await b.receive(a.address, message)).toEqual(text(words));
      }
      const answer = await b.send(a.address, text("answer"));
      expect(answer.type).toBe(whisper);
      expect(await a.receive(b.address, answer)).toEqual(text("answer"));
      expect((await a.send(b.address, text("x"))).type).toBe(whisper);
      await say(b, a, "a long one ".repeat(20_000));
      await say(a, b, "a long one ".repeat(20_000));
    },
  );

  test("[SE3] a session that was never answered is not written with after 30 days", async () => {
    const [a, b] = await pair(kinds);
    await a.begin(b.address, await b.newBundle());
    const almost = startMs + 30 * dayMs - 1_000;
    const after = startMs + 30 * dayMs + 1_000;
    expect([a.canSend(b.address, almost), a.canSend(b.address, after)]).toEqual([true, false]);
    expect((await a.send(b.address, text("in time"), almost)).type).toBe(preKey);
    await expect(a.send(b.address, text("too late"), after)).rejects.toThrow();
    await b.receive(a.address, await a.send(b.address, text("in time")));
    await say(b, a, "answer");
    expect(a.canSend(b.address, after)).toBe(true);
  });

  test("[SE4] both begin at once: all arrives, and they settle on one session", async () => {
    const [a, b] = await pair(kinds);
    await a.begin(b.address, await b.newBundle());
    await b.begin(a.address, await a.newBundle());
    const crossing = [await a.send(b.address, text("a1")), await a.send(b.address, text("a2"))];
    const back = [await b.send(a.address, text("b1")), await b.send(a.address, text("b2"))];
    for (const [index, message] of crossing.entries()) {
      expect(await b.receive(a.address, message)).toEqual(text(`a${index + 1}`));
    }
    for (const [index, message] of back.entries()) {
      expect(await a.receive(b.address, message)).toEqual(text(`b${index + 1}`));
    }
    for (let round = 0; round < 5; round += 1) {
      await say(a, b, `ping ${round}`);
      await say(b, a, `pong ${round}`);
    }
    expect((await a.send(b.address, text("x"))).type).toBe(whisper);
    expect((await b.send(a.address, text("x"))).type).toBe(whisper);
  });

  test("[SE5] what was sent in an archived session still arrives, and brings it back", async () => {
    const [a, b] = await acquainted(kinds);
    const late = [await b.send(a.address, text("late 1")), await b.send(a.address, text("late 2"))];
    a.archive(b.address);
    await expect(a.send(b.address, text("x"))).rejects.toThrow();
    await a.begin(b.address, await b.newBundle());
    const fresh = await a.send(b.address, text("fresh"));
    expect(fresh.type).toBe(preKey);
    expect(await a.receive(b.address, late[1] ?? fresh)).toEqual(text("late 2"));
    expect((await a.send(b.address, text("in the old session"))).type).toBe(whisper);
    expect(await b.receive(a.address, fresh)).toEqual(text("fresh"));
    expect(await a.receive(b.address, late[0] ?? fresh)).toEqual(text("late 1"));
    for (let round = 0; round < 4; round += 1) {
      await say(b, a, `b${round}`);
      await say(a, b, `a${round}`);
    }
  });

  test("[SE5] 40 archived sessions are kept, the oldest is forgotten", async () => {
    const [a, b] = await acquainted(kinds);
    const bundle = await b.newBundle({ withoutOneTime: true });
    const late = [await a.send(b.address, text("of the first session"))];
    for (let session = 1; session <= 41; session += 1) {
      await a.begin(b.address, bundle);
      late.push(await a.send(b.address, text(`of session ${session}`)));
      // Its first message makes the session there; a second one is kept back.
      await b.receive(a.address, late[session] ?? expect.fail());
      late[session] = await a.send(b.address, text(`of session ${session}`));
    }
    await expect(b.receive(a.address, late[0] ?? expect.fail())).rejects.toThrow();
    expect(await b.receive(a.address, late[1] ?? expect.fail())).toEqual(text("of session 1"));
    await say(b, a, "answer");
    await say(a, b, "and on");
  });

  test("[SE6] an identity that is not the trusted one is refused until it is accepted", async () => {
    const [, b] = await acquainted(kinds);
    const impostor = await device(first, alice, 77);
    await impostor.begin(b.address, await b.newBundle());
    const message = await impostor.send(b.address, text("it is me"));
    await expect(b.receive(alice, message)).rejects.toThrow(/trusted|untrusted/i);
    await expect(b.begin(alice, await impostor.newBundle())).rejects.toThrow(/trusted|untrusted/i);
    if (b instanceof OfficialDevice) b.identities.known.clear();
    if (b instanceof EngineDevice) b.trusted.clear();
    expect(await b.receive(alice, message)).toEqual(text("it is me"));
    await say(b, impostor, "so be it");
    await say(impostor, b, "good");
  });

  test("[SE8] a one-time prekey begins one session", async () => {
    const [a, b] = await pair(kinds);
    const bundle = await b.newBundle();
    await a.begin(b.address, bundle);
    await say(a, b, "first");
    const other = await device(first, { ...alice, deviceId: 9 }, 5);
    await other.begin(b.address, bundle);
    const message = await other.send(b.address, text("second"));
    await expect(b.receive(other.address, message)).rejects.toThrow();
    await say(b, a, "still there");
  });
});

test.each(roles)("[SE7] %s writes to %s, another device of the same account", async (first, second) => {
  const [a, b] = await pair([first, second]);
  const engine = a instanceof EngineDevice ? a : b instanceof EngineDevice ? b : expect.fail();
  const shared = new IdentityKeyPair(
    PublicKey.deserialize(owned(engine.identityKey)),
    PrivateKey.deserialize(owned(engine.identity.privateKey)),
  );
  const official = new OfficialDevice({ ...engine.address, deviceId: 3 }, shared);
  const [from, to] = first === "engine" ? [engine, official] : [official, engine];
  await from.begin(to.address, await to.newBundle());
  await say(from, to, "first");
  for (let round = 0; round < 3; round += 1) {
    await say(to, from, `b${round}`);
    await say(from, to, `a${round}`);
  }
});

test("[SE6] the identity of a message is the one that the official library shows", async () => {
  const engine = await EngineDevice.create(alice, 3);
  const official = new OfficialDevice(bob);
  await official.begin(alice, await engine.newBundle());
  await say(official, engine, "first");
  expect([...engine.trusted.values()]).toEqual([official.identityKey]);
});
