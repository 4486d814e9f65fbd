import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { enroll, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { expectAgreement, type Talker, talkers } from "./talk.ts";

const KILLS = 50;
const MESSAGES_A_ROUND = 8;

let place: Place;
let channelId: ChannelId;
let everyone: Talker[];
beforeAll(async () => {
  place = await startPlace();
  const people = await enroll(place, 5);
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error("people were enrolled");
  channelId = textChannel(await serverWith(place, owner, others)).id;
  everyone = await talkers(place, people, channelId);
});
afterAll(() => place.stop());

test(`[FT1] of ${KILLS} kills of the edge between an acknowledgement and its broadcast none loses or doubles an acknowledged message`, async () => {
  let said = 0;
  let missing = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const ackedBefore = everyone.reduce((sum, { acked }) => sum + acked.size, 0);
    const acknowledged = (): number => everyone.reduce((sum, { acked }) => sum + acked.size, 0) - ackedBefore;
    const [first, second] = [everyone[kill % 5], everyone[(kill + 1) % 5]];
    const dies = new Promise<void>((resolve, reject) => {
      // In the very turn in which an acknowledgement arrives: its broadcast is still on its way, or not even begun.
      const watch = (): void => {
        if (acknowledged() === 0) setImmediate(watch);
        else void place.stack.workerd.kill9().then(resolve, reject);
      };
      watch();
    });
    for (let n = 0; n < MESSAGES_A_ROUND; n += 1) {
      (n % 2 === 0 ? first : second)?.say(`message ${said}`);
      said += 1;
    }
    await dies;
    const { rows } = await place.sql.query<{ last: number }>(
      "SELECT last_seq::integer AS last FROM channels WHERE id = $1",
      [channelId],
    );
    missing += everyone.filter(({ heard }) => heard.size < (rows[0]?.last ?? 0)).length;
    const readies = everyone.map(({ connection }) => connection.of("ready").length);
    await place.stack.workerd.restart();
    await waitFor("everyone to be back", () =>
      everyone.every(
        ({ connection, isDone }, index) => isDone && connection.of("ready").length > (readies[index] ?? 0),
      ),
    );
  }
  // The kills did hit: often enough something stored had not reached someone.
  expect(missing).toBeGreaterThan(KILLS / 5);
  await expectAgreement(place, channelId, everyone, said);
  for (const { connection } of everyone) connection.close();
}, 300_000);
