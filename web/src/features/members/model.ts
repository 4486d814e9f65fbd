import type { Member } from "@lescopains/protocol/entities";

/** Members of one heading. */
export interface MemberGroup {
  readonly kind: "here" | "away";
  readonly members: readonly Member[];
}

/** Who is here (online, idle, busy) before who is away, each by name as the reader's language sorts. */
export function groupMembers(members: readonly Member[], collator: Intl.Collator): readonly MemberGroup[] {
  const byName = members.toSorted(
    (one, other) =>
      collator.compare(one.user.displayName, other.user.displayName) || (one.user.id < other.user.id ? -1 : 1),
  );
  const here = byName.filter((member) => member.status !== "offline");
  const away = byName.filter((member) => member.status === "offline");
  return [
    ...(here.length > 0 ? [{ kind: "here" as const, members: here }] : []),
    ...(away.length > 0 ? [{ kind: "away" as const, members: away }] : []),
  ];
}
