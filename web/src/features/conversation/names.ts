import type { UserId } from "@lescopains/protocol/ids";
import type { Live } from "../../sync/live-types.ts";
import { conversationWords } from "./words.ts";

/** A person's name as it shows; reading it in a component follows their changes. */
export function nameOf(live: Live, userId: UserId | null): string {
  const words = conversationWords.value;
  if (userId === null) return words.deletedAccount;
  const person = live.person(userId).value;
  if (person === null) return words.deletedAccount;
  return person?.displayName ?? words.someone;
}
