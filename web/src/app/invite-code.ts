import { InviteCode } from "@lescopains/protocol/entities";
import * as v from "valibot";
import { href } from "./route.ts";

/** The code in what somebody pasted: a link to an invite on any address of ours, or the code alone. */
export function inviteCodeIn(pasted: string): string | undefined {
  const candidate = /\/invite\/([^/?#\s]+)/.exec(pasted)?.[1] ?? pasted.trim();
  return v.is(InviteCode, candidate) ? candidate : undefined;
}

/** The link to send to a friend. */
export function inviteLink(code: string): string {
  return location.origin + href({ name: "invite", code });
}
