import type { User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Check, Heart, MessageCircle, UserMinus, UserPlus, X } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { directWords } from "../../app/direct-words.ts";
import { errorText } from "../../app/errors.ts";
import { type Task, useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { writeTo } from "../../app/write-to.ts";
import { friendshipWith } from "../../sync/friends.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import "./friends.css";
import "./people.css";
import { dmWords } from "./words.ts";

interface FriendActions {
  readonly task: Task;
  /** Asks, or accepts. */
  readonly put: (userId: UserId) => void;
  /** Ends, refuses or takes back. */
  readonly remove: (userId: UserId) => Promise<void>;
}

function useFriendActions(): FriendActions {
  const client = useClient();
  const live = useLive();
  const task = useTask();
  return {
    task,
    put(userId) {
      void task.run(async () => {
        await client.api.call("putFriend", { params: { userId } });
        live.refreshFriends();
      });
    },
    async remove(userId) {
      await client.api.call("deleteFriend", { params: { userId } });
      live.refreshFriends();
    },
  };
}

/** Asks a person for friendship, accepts, takes back, or ends it, by how one stands with them. */
export function FriendButton({ person }: { readonly person: User }) {
  const live = useLive();
  const words = dmWords.value;
  const { task, put, remove } = useFriendActions();
  const ending = useSignal(false);
  const friendship = friendshipWith(live.friends.value, person.id);
  const busy = task.busy.value;
  if (live.blocked(person.id).value) return null;
  return (
    <div class="people-actions">
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {friendship === "friends" && (
        <Button icon={UserMinus} wide onClick={() => (ending.value = true)}>
          {words.friendEnd}
        </Button>
      )}
      {friendship === "outgoing" && (
        <Button icon={X} wide busy={busy} onClick={() => void task.run(() => remove(person.id))}>
          {words.friendTakeBack}
        </Button>
      )}
      {(friendship === "none" || friendship === "incoming") && (
        <Button icon={UserPlus} wide busy={busy} onClick={() => put(person.id)}>
          {friendship === "none" ? words.friendAsk : words.friendAccept}
        </Button>
      )}
      {ending.value && <EndDialog person={person} onClose={() => (ending.value = false)} />}
    </div>
  );
}

function EndDialog({ person, onClose }: { readonly person: User; readonly onClose: () => void }) {
  const words = dmWords.value;
  const { remove } = useFriendActions();
  const name = person.displayName;
  return (
    <Confirm
      title={words.friendEndTitle({ name })}
      action={words.friendEnd}
      onClose={onClose}
      onConfirm={() => remove(person.id)}
    >
      <p>{words.friendEndHelp}</p>
    </Confirm>
  );
}

/** A row above the conversations: leads to friends and requests, and counts the requests. */
export function FriendsRow() {
  const words = dmWords.value;
  const { incoming } = useLive().friends.value;
  const open = useSignal(false);
  const count = incoming.length;
  return (
    <>
      <button type="button" class="friends-row" onClick={() => (open.value = true)}>
        <Icon node={Heart} />
        <span class="friends-row-name">{words.friends}</span>
        {count > 0 && (
          <>
            <span class="dm-count" aria-hidden="true">
              {count}
            </span>
            <span class="aside-text">, {words.friendRequests(count)}</span>
          </>
        )}
      </button>
      {open.value && <FriendsDialog onClose={() => (open.value = false)} />}
    </>
  );
}

function FriendsDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const live = useLive();
  const words = dmWords.value;
  const { task, put, remove } = useFriendActions();
  const { friends, incoming, outgoing } = live.friends.value;
  const busy = task.busy.value;

  function write(userId: UserId): void {
    void task.run(async () => {
      await writeTo(client, live, [userId]);
      onClose();
    });
  }

  return (
    <Dialog title={words.friends} closeLabel={appWords.value.close} onClose={onClose}>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {incoming.length > 0 && (
        <section>
          <h3>{words.friendRequests(incoming.length)}</h3>
          <ul>
            {incoming.map((person) => (
              <PersonLine key={person.id} person={person}>
                <IconButton
                  icon={Check}
                  label={words.friendAcceptOf({ name: person.displayName })}
                  disabled={busy}
                  onClick={() => put(person.id)}
                />
                <IconButton
                  icon={X}
                  label={words.friendRefuseOf({ name: person.displayName })}
                  disabled={busy}
                  onClick={() => void task.run(() => remove(person.id))}
                />
              </PersonLine>
            ))}
          </ul>
        </section>
      )}
      {outgoing.length > 0 && (
        <section>
          <h3>{words.friendSent}</h3>
          <ul>
            {outgoing.map((person) => (
              <PersonLine key={person.id} person={person}>
                <IconButton
                  icon={X}
                  label={words.friendTakeBackOf({ name: person.displayName })}
                  disabled={busy}
                  onClick={() => void task.run(() => remove(person.id))}
                />
              </PersonLine>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h3>{words.friendCount(friends.length)}</h3>
        {friends.length === 0 && <p class="people-sub">{words.friendNone}</p>}
        <ul>
          {friends.map((person) => (
            <PersonLine key={person.id} person={person}>
              <IconButton
                icon={MessageCircle}
                label={directWords.value.message}
                disabled={busy}
                onClick={() => write(person.id)}
              />
            </PersonLine>
          ))}
        </ul>
      </section>
    </Dialog>
  );
}

interface PersonLineProps {
  readonly person: User;
  readonly children: ComponentChildren;
}

function PersonLine({ person, children }: PersonLineProps) {
  const { status } = useLive().presence(person.id).value;
  return (
    <li class="people-row">
      <Avatar id={person.id} name={person.displayName} side={34} status={status === "offline" ? undefined : status} />
      <span class="people-text">
        <span class="one-line">{person.displayName}</span>
        <span class="people-sub one-line">@{person.username}</span>
      </span>
      {children}
    </li>
  );
}
