import { decodePreKeySignalMessage, decodeSignalMessage } from "@lescopains/e2ee/wire/messages";
import type { Frame } from "./recorder.ts";

interface Sealed {
  readonly userId?: string;
  readonly toUserId?: string;
  readonly deviceId?: number;
  readonly toDeviceId?: number;
  readonly type: number;
  readonly body: string;
}

/** Whether it sends a message that is kept; typing and reading pass by. */
export function isSent(frame: Frame): boolean {
  return bodiesOf(frame, "message:send").some((body) => (body as { ephemeral?: boolean }).ephemeral !== true);
}

/** Bodies of a socket's event, as the page sent them (Socket.IO v5: 4 is a message, 2 an event, then the number of its answer). */
function bodiesOf({ side, text }: Frame, event: string): readonly unknown[] {
  const found = side === "page" ? /^42\d*(\[.*)$/s.exec(text)?.[1] : undefined;
  if (found === undefined) return [];
  const [name, body] = JSON.parse(found) as [string, unknown];
  return name === event ? [body] : [];
}

/**
 * The ciphertexts of pairwise sessions that crossed the wire, by the key that made them: for whom, which ratchet key, which message
 * of its chain. A key that made two has two bodies.
 */
export function bodiesByKey(frames: readonly Frame[]): ReadonlyMap<string, ReadonlySet<string>> {
  const byKey = new Map<string, Set<string>>();
  for (const frame of frames) {
    const sent = [
      ...bodiesOf(frame, "message:send").flatMap((body) => (body as { ciphertexts?: Sealed[] }).ciphertexts ?? []),
      ...bodiesOf(frame, "keys:send").flatMap((body) => (body as { messages: Sealed[] }).messages),
    ];
    for (const { userId, toUserId, deviceId, toDeviceId, type, body } of sent) {
      if (type !== 2 && type !== 3) continue;
      const bytes = new Uint8Array(Buffer.from(body, "base64"));
      const { ratchetKey, counter } = decodeSignalMessage(
        type === 3 ? decodePreKeySignalMessage(bytes).message : bytes,
      );
      const to = `${userId ?? toUserId}/${deviceId ?? toDeviceId}`;
      const key = `${to} ${Buffer.from(ratchetKey).toString("hex")} ${counter}`;
      byKey.set(key, (byKey.get(key) ?? new Set()).add(body));
    }
  }
  return byKey;
}
