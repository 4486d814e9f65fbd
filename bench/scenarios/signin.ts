import { quantile } from "../measure/quantile.ts";
import type { Subject } from "../subjects/subject.ts";
import { password } from "../world.ts";
import { type Bench, type Scenario, talkPerSecond } from "./bench.ts";
import { measuredRun } from "./measured-run.ts";

const receivers = 100;
const concurrency = 8;
const aloneMs = 4_000;
const withTalkMs = 6_000;

/** Signs people in, eight at a time, until told to stop; answers how many a second. */
async function signInUntil(subject: Subject, isOver: () => boolean): Promise<number> {
  const startedMs = performance.now();
  let count = 0;
  const line = async (first: number): Promise<void> => {
    // Different people, so that no account's own limit is met.
    for (let index = first; !isOver(); index += concurrency) {
      const username = subject.world.people[index % subject.world.people.length]?.username;
      const response = await fetch(`${subject.url()}/api/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username, password }),
      });
      const body = await response.text();
      if (response.status !== 200) throw new Error(`${subject.name} refused to sign in: ${response.status} ${body}`);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, first) => line(first)));
  return (count * 1_000) / (performance.now() - startedMs);
}

async function oneSubject(bench: Bench, subject: Subject): Promise<void> {
  const { record, fleet } = bench;
  try {
    await subject.restart();
    const untilMs = performance.now() + aloneMs;
    record.add(subject.name, "sign-ins", "/s", await signInUntil(subject, () => performance.now() > untilMs));

    await fleet.connect({ url: subject.url() }, subject.world, receivers);
    const talk = {
      pace: { kind: "random", perSecond: talkPerSecond, seed: 1 },
      durationMs: withTalkMs,
      channelIds: subject.world.channelIds.slice(0, 1),
    } as const;
    await measuredRun(bench, subject, { ...talk, durationMs: 1_000 });
    const calm = await measuredRun(bench, subject, talk);
    let isOver = false;
    const signIns = signInUntil(subject, () => isOver);
    const busy = await measuredRun(bench, subject, talk).finally(() => (isOver = true));
    record.add(subject.name, "sign-ins while people talk", "/s", await signIns);
    for (const part of [0.5, 0.99]) {
      const ms = (us: readonly number[]): number => quantile(us, part) / 1_000;
      record.add(subject.name, `send → ack p${part * 100}, 100 receivers, no sign-ins`, "ms", ms(calm.ackUs));
      record.add(subject.name, `send → ack p${part * 100}, 100 receivers, 8 signing in`, "ms", ms(busy.ackUs));
    }
  } finally {
    await fleet.disconnect();
  }
}

/** How many people can sign in (bcrypt, cost 12), and what those who talk notice of it. */
export const signin: Scenario = async (bench) => {
  for (const subject of bench.subjects) {
    bench.log(`sign-in: ${subject.name}`);
    await oneSubject(bench, subject);
  }
};
