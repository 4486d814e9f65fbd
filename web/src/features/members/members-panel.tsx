import type { Member, Server } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { computed, useSignal } from "@preact/signals";
import { UserPlus } from "lucide";
import { useMemo, useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { region } from "../../app/i18n.ts";
import { may } from "../../app/rights.ts";
import { roleColor } from "../../app/role-color.ts";
import { statusWords } from "../../app/status-words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { useRoving } from "../../ui/roving.ts";
import { MemberDialog } from "./member-dialog.tsx";
import { groupMembers } from "./model.ts";
import "./panel.css";
import { memberWords } from "./words.ts";

/** Rows drawn at once for each heading; a place may have 25,000 members. */
const PAGE = 200;

const collator = computed(() => new Intl.Collator(region.value, { sensitivity: "base", numeric: true }));

interface MembersPanelProps {
  readonly server: Server;
  /** The groups' headings stand one level below the panel's own. */
  readonly headings: "h2" | "h3";
  readonly onInvite: () => void;
}

/** Who is in a place, by presence. Whoever shows it has opened the place (`live.openServer`). */
export function MembersPanel({ server, headings, onInvite }: MembersPanelProps) {
  const live = useLive();
  const words = memberWords.value;
  const { members, complete, error } = live.members(server.id).value;
  const chosen = useSignal<UserId | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useRoving(list);

  const order = collator.value;
  const groups = useMemo(() => groupMembers(members, order), [members, order]);
  const shownMember = members.find(({ user }) => user.id === chosen.value);

  return (
    <section class="members" aria-label={words.members}>
      <div class="members-scroll" ref={list}>
        {!complete &&
          members.length === 0 &&
          (error === undefined ? <MembersSkeleton /> : <p class="members-note">{words.loadFailed}</p>)}
        {groups.map((group) => (
          <MembersGroup
            key={group.kind}
            title={words[group.kind]}
            heading={headings}
            server={server}
            members={group.members}
            onChoose={(userId) => (chosen.value = userId)}
          />
        ))}
        <Alone server={server} onInvite={onInvite} />
      </div>
      {shownMember !== undefined && (
        <MemberDialog server={server} member={shownMember} onClose={() => (chosen.value = null)} />
      )}
    </section>
  );
}

/** To who has a place to themselves. */
export function Alone({ server, onInvite }: Pick<MembersPanelProps, "server" | "onInvite">) {
  const words = memberWords.value;
  const { members, complete } = useLive().members(server.id).value;
  if (!complete || members.length !== 1 || !may(server.permissions, "createInvites")) return null;
  return (
    <div class="members-note">
      <p>{words.alone}</p>
      <Button icon={UserPlus} onClick={onInvite}>
        {words.invite}
      </Button>
    </div>
  );
}

interface MembersGroupProps {
  readonly title: string;
  readonly heading: "h2" | "h3";
  readonly server: Server;
  readonly members: readonly Member[];
  readonly onChoose: (userId: UserId) => void;
}

function MembersGroup({ title, heading: Heading, server, members, onChoose }: MembersGroupProps) {
  const shown = useSignal(PAGE);
  const hidden = members.length - shown.value;
  return (
    <div class="members-group">
      <Heading>
        {title} · {members.length}
      </Heading>
      <ul>
        {members.slice(0, shown.value).map((member) => (
          <li key={member.user.id}>
            <MemberRow server={server} member={member} onChoose={onChoose} />
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <Button kind="quiet" wide onClick={() => (shown.value += PAGE)}>
          {memberWords.value.more(Math.min(hidden, PAGE))}
        </Button>
      )}
    </div>
  );
}

interface MemberRowProps {
  readonly server: Server;
  readonly member: Member;
  readonly onChoose: (userId: UserId) => void;
}

function MemberRow({ server, member, onChoose }: MemberRowProps) {
  const { user, status, customStatus } = member;
  const top = server.roles
    .filter((role) => role.color !== null && member.roleIds.includes(role.id))
    .toSorted((one, other) => other.position - one.position)[0];
  const color = roleColor(top?.color ?? null);
  return (
    <button
      type="button"
      class={status === "offline" ? "member member-away" : "member"}
      data-roving=""
      onClick={() => onChoose(user.id)}
    >
      <Avatar id={user.id} name={user.displayName} side={34} status={status === "offline" ? undefined : status} />
      <span class="member-text">
        <span class="member-name">
          <span class="one-line">{user.displayName}</span>
          {color !== undefined && <span class="role-dot" style={{ "--role": color }} aria-hidden="true" />}
          <span class="aside-text">, {statusWords.value[status]}</span>
        </span>
        {customStatus !== undefined && <span class="member-sub one-line">{customStatus}</span>}
      </span>
    </button>
  );
}

const SKELETON_WIDTHS = ["62%", "48%", "70%", "40%", "55%"];

function MembersSkeleton() {
  return (
    <div aria-hidden="true">
      {SKELETON_WIDTHS.map((width) => (
        <div class="members-skeleton" key={width}>
          <Skeleton width="34px" height="34px" />
          <Skeleton width={width} height="14px" />
        </div>
      ))}
    </div>
  );
}
