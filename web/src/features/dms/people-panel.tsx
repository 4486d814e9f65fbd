import type { DirectChannel, User } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { BadgeCheck, Lock, LogOut, MessageCircle, ShieldCheck, ShieldQuestion, UserMinus, UserPlus } from "lucide";
import { useRef } from "preact/hooks";
import { useClient, useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { othersIn } from "../../app/direct.ts";
import { directWords } from "../../app/direct-words.ts";
import { errorText } from "../../app/errors.ts";
import { useKeys } from "../../app/keys.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { statusWords } from "../../app/status-words.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { writeTo } from "../../app/write-to.ts";
import { asApiError } from "../../net/api-error.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem } from "../../ui/menu.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useRoving } from "../../ui/roving.ts";
import { say } from "../../ui/toasts.tsx";
import { BlockButton } from "./blocking.tsx";
import { FriendButton } from "./friends.tsx";
import "./people.css";
import { PeoplePicker } from "./people-picker.tsx";
import { dmWords } from "./words.ts";

interface PeoplePanelProps {
  readonly channel: DirectChannel;
}

/** Who is in a direct conversation, and what one knows of their keys. */
export function PeoplePanel({ channel }: PeoplePanelProps) {
  return channel.type === "dm" ? <PairPanel channel={channel} /> : <GroupPanel channel={channel} />;
}

function PairPanel({ channel }: PeoplePanelProps) {
  const live = useLive();
  const words = dmWords.value;
  const [other] = othersIn(channel, live.self.value.id);
  return (
    <section class="people" aria-label={words.people}>
      {other !== undefined && (
        <>
          <Card person={other} />
          <SafetyLink channel={channel} person={other} />
          <FriendButton person={other} />
          <BlockButton person={other} />
        </>
      )}
      <Privacy />
    </section>
  );
}

function Card({ person }: { readonly person: User }) {
  const live = useLive();
  const { status, customStatus } = live.presence(person.id).value;
  return (
    <div class="people-card">
      <Avatar id={person.id} name={person.displayName} side={72} status={status} />
      <p class="people-card-name">{person.displayName}</p>
      <p class="people-sub">
        @{person.username} · {statusWords.value[status]}
      </p>
      {customStatus !== undefined && <p>{customStatus}</p>}
    </div>
  );
}

function SafetyLink({ channel, person }: { readonly channel: DirectChannel; readonly person: User }) {
  const words = dmWords.value;
  const trust = useKeys().peer(person.id).value?.trust;
  const verified = trust === "verified";
  return (
    <a
      class="people-safety"
      data-verified={verified}
      href={href({ name: "safety", channelId: channel.id, userId: person.id })}
    >
      <Icon node={verified ? BadgeCheck : ShieldQuestion} />
      <span>
        <span class="people-safety-title">{words.safety}</span>
        <span class="people-sub">{verified ? directWords.value.verified : words.safetyCheck}</span>
      </span>
    </a>
  );
}

function Privacy() {
  return (
    <p class="people-privacy">
      <Icon node={Lock} size={16} />
      <span>{dmWords.value.privacy}</span>
    </p>
  );
}

function GroupPanel({ channel }: PeoplePanelProps) {
  const live = useLive();
  const client = useClient();
  const words = dmWords.value;
  const adding = useSignal(false);
  const leaving = useSignal(false);
  const removing = useSignal<User | null>(null);
  const list = useRef<HTMLUListElement>(null);
  useRoving(list);
  const self = live.self.value;
  const room = LIMITS.dmPeople - channel.participants.length;
  const people = [...channel.participants].toSorted(
    (one, other) =>
      Number(one.id === self.id) - Number(other.id === self.id) || one.displayName.localeCompare(other.displayName),
  );

  return (
    <section class="people" aria-label={words.people}>
      <ul ref={list}>
        {people.map((person) => (
          <li key={person.id}>
            <PersonRow channel={channel} person={person} onRemove={() => (removing.value = person)} />
          </li>
        ))}
      </ul>
      <div class="people-actions">
        {room > 0 && (
          <Button icon={UserPlus} wide onClick={() => (adding.value = true)}>
            {words.add}
          </Button>
        )}
        <Button kind="danger-quiet" icon={LogOut} wide onClick={() => (leaving.value = true)}>
          {words.leave}
        </Button>
      </div>
      <Privacy />
      {adding.value && <AddDialog channel={channel} onClose={() => (adding.value = false)} />}
      {leaving.value && (
        <Confirm
          title={words.leaveTitle}
          action={words.leave}
          onClose={() => (leaving.value = false)}
          onConfirm={() =>
            client.api.call("removeParticipant", { params: { id: channel.id, userId: live.self.peek().id } })
          }
        >
          <p>{words.leaveHelp}</p>
        </Confirm>
      )}
      {removing.value !== null && (
        <RemoveDialog channel={channel} person={removing.value} onClose={() => (removing.value = null)} />
      )}
    </section>
  );
}

interface RemoveDialogProps {
  readonly channel: DirectChannel;
  readonly person: User;
  readonly onClose: () => void;
}

function RemoveDialog({ channel, person, onClose }: RemoveDialogProps) {
  const client = useClient();
  const words = dmWords.value;
  return (
    <Confirm
      title={words.removeTitle({ name: person.displayName })}
      action={words.remove}
      onClose={onClose}
      onConfirm={() => client.api.call("removeParticipant", { params: { id: channel.id, userId: person.id } })}
    >
      <p>{words.removeHelp}</p>
    </Confirm>
  );
}

interface PersonRowProps {
  readonly channel: DirectChannel;
  readonly person: User;
  readonly onRemove: () => void;
}

function PersonRow({ channel, person, onRemove }: PersonRowProps) {
  const live = useLive();
  const client = useClient();
  const keys = useKeys();
  const words = dmWords.value;
  const self = live.self.value;
  const isSelf = person.id === self.id;
  const { status, customStatus } = live.presence(person.id).value;
  const trust = isSelf ? undefined : keys.peer(person.id).value?.trust;
  const withoutDevice = trust === "unknown";
  const note = [
    isSelf ? words.self : undefined,
    channel.ownerId === person.id ? words.owner : undefined,
    withoutDevice ? words.noDevice : customStatus,
  ].filter((part) => part !== undefined);

  const body = (
    <>
      <Avatar id={person.id} name={person.displayName} side={34} status={status === "offline" ? undefined : status} />
      <span class="people-text">
        <span class="people-name">
          <span class="one-line">{person.displayName}</span>
          {trust === "verified" && (
            <span class="people-verified">
              <Icon node={BadgeCheck} size={14} />
              <span class="aside-text">, {directWords.value.verified}</span>
            </span>
          )}
          <span class="aside-text">, {statusWords.value[status]}</span>
        </span>
        {note.length > 0 && (
          <span class={withoutDevice ? "people-sub" : "people-sub one-line"}>{note.join(" · ")}</span>
        )}
      </span>
    </>
  );
  if (isSelf) return <div class="people-row">{body}</div>;

  const items: MenuItem[] = [
    {
      label: directWords.value.message,
      icon: MessageCircle,
      onSelect: () => {
        writeTo(client, live, [person.id]).catch((thrown: unknown) => say(errorText(asApiError(thrown))));
      },
    },
    {
      label: words.safety,
      icon: ShieldCheck,
      onSelect: () => navigate(href({ name: "safety", channelId: channel.id, userId: person.id })),
    },
  ];
  if (channel.ownerId === self.id) {
    items.push(null, { label: words.remove, icon: UserMinus, danger: true, onSelect: onRemove });
  }
  return (
    <Menu
      label={words.actionsFor({ name: person.displayName })}
      items={items}
      trigger={(props) => (
        <button {...props} type="button" class="people-row" data-roving="">
          {body}
        </button>
      )}
    />
  );
}

function AddDialog({ channel, onClose }: { readonly channel: DirectChannel; readonly onClose: () => void }) {
  const client = useClient();
  const live = useLive();
  const words = dmWords.value;
  const task = useTask();
  const chosen = useSignal<readonly User[]>([]);
  const count = chosen.value.length;

  function add(): void {
    void task.run(async () => {
      for (const person of chosen.peek()) {
        const params = { id: channel.id, userId: person.id };
        live.putChannel(await client.api.call("addParticipant", { params }));
        // Whoever is in already need not be added again when a later one is refused.
        chosen.value = chosen.peek().filter(({ id }) => id !== person.id);
      }
      onClose();
    });
  }

  return (
    <Dialog title={words.addTitle} closeLabel={appWords.value.close} onClose={onClose}>
      <p class="people-sub">{words.addHelp}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <PeoplePicker
        chosen={chosen}
        without={channel.participants.map(({ id }) => id)}
        most={LIMITS.dmPeople - channel.participants.length}
        onEnter={add}
      />
      <div class="actions">
        <Button kind="primary" disabled={count === 0} busy={task.busy.value} onClick={add}>
          {words.addAction(Math.max(1, count))}
        </Button>
      </div>
    </Dialog>
  );
}
