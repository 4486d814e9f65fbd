import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";
import type { Message } from "../../tests/interop/kit/device.ts";
import { quickOfficialDevice } from "../../tests/interop/kit/official.ts";
import type { Side } from "./measure.ts";

const addresses = [
  { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1 },
  { accountId: "22222222-2222-4222-8222-222222222222", deviceId: 1 },
] as const;

function officialSide(own: 0 | 1): Side<PreKeyBundle, Message> {
  const device = quickOfficialDevice(addresses[own]);
  const other = addresses[own === 0 ? 1 : 0];
  const nowMs = Date.now();
  return {
    bundle: () => device.newBundle(),
    begin: (bundle) => device.begin(other, bundle, nowMs),
    encrypt: (plaintext) => device.send(other, plaintext, nowMs),
    async decrypt(message) {
      await device.receive(other, message);
    },
  };
}

/** Two devices of the official library. */
export async function libsignalPair(): Promise<[Side<PreKeyBundle, Message>, Side<PreKeyBundle, Message>]> {
  return [officialSide(0), officialSide(1)];
}
