import { MessageId } from "@lescopains/protocol/ids";
import * as v from "valibot";

/** What people send, as it is kept until it is sent. */
export const DmContent = v.variant("kind", [
  v.object({ kind: v.literal("text"), text: v.string(), replyTo: v.nullable(MessageId) }),
  v.object({ kind: v.literal("edit"), messageId: MessageId, text: v.string() }),
  v.object({ kind: v.literal("delete"), messageId: MessageId }),
  v.object({ kind: v.literal("reaction"), messageId: MessageId, emoji: v.string(), on: v.boolean() }),
  v.object({ kind: v.literal("missedCall") }),
]);
export type DmContent = Readonly<v.InferOutput<typeof DmContent>>;
/** Of those, what changes another message. */
export type DmChange = Extract<DmContent, { messageId: MessageId }>;

export function isDmChange(content: DmContent): content is DmChange {
  return "messageId" in content;
}
