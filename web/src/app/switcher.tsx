import type { UserId } from "@lescopains/protocol/ids";
import { useComputed, useSignal } from "@preact/signals";
import { Hash, Search, UsersRound, Volume2 } from "lucide";
import { useEffect, useId, useRef } from "preact/hooks";
import { asApiError } from "../net/api-error.ts";
import { Avatar } from "../ui/avatar.tsx";
import "../ui/dialog.css";
import { Icon } from "../ui/icon.tsx";
import { rovingTarget } from "../ui/roving.ts";
import { say } from "../ui/toasts.tsx";
import { useClient, useLive } from "./client-context.ts";
import { directName, othersIn, pairWith } from "./direct.ts";
import { errorText } from "./errors.ts";
import { frameWords } from "./frame/words.ts";
import { href } from "./route.ts";
import { navigate } from "./router.ts";
import { type Destination, search } from "./search.ts";
import "./switcher.css";
import { writeTo } from "./write-to.ts";

const SHOWN = 12;

/** Everywhere one can go: conversations, places and the channels in them, and people one may write to. */
function useDestinations() {
  const live = useLive();
  return useComputed(() => {
    const selfId = live.self.value.id;
    const dms = live.dms.value;
    const directs = dms.map((channel): Destination => ({
      id: channel.id,
      name: directName(channel, selfId),
      kind: "direct",
      personId: channel.type === "dm" ? (othersIn(channel, selfId)[0]?.id ?? null) : null,
      path: href({ name: "dm", channelId: channel.id }),
      unread: live.unread(channel.id).value.count > 0,
    }));
    const places = live.servers.value.flatMap((server): Destination[] => [
      {
        id: server.id,
        name: server.name,
        kind: "place",
        path: href({ name: "server", serverId: server.id }),
        unread: false,
      },
      ...live.channels(server.id).value.map((channel): Destination => {
        return {
          id: channel.id,
          name: channel.name,
          within: server.name,
          kind: channel.type === "voice" ? "voice" : "text",
          path: href({ name: "channel", serverId: server.id, channelId: channel.id }),
          unread: live.unread(channel.id).value.count > 0,
        };
      }),
    ]);
    // Members of the places that were opened; whoever one has a conversation with is found by that.
    const people = new Map<UserId, Destination>();
    for (const server of live.servers.value) {
      for (const { user } of live.members(server.id).value.members) {
        if (user.id === selfId || pairWith(dms, user.id) !== undefined) continue;
        people.set(user.id, {
          id: user.id,
          name: user.displayName,
          kind: "person",
          personId: user.id,
          path: href({ name: "newDm" }),
          unread: false,
        });
      }
    }
    return [...directs, ...places, ...people.values()];
  });
}

/** Goes anywhere by a few letters of its name: a field that points at a list. */
export function Switcher({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const live = useLive();
  const words = frameWords.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const query = useSignal("");
  const index = useSignal(0);
  const destinations = useDestinations();
  const found = useComputed(() => search(destinations.value, query.value, SHOWN));
  useEffect(() => dialog.current?.showModal(), []);

  function go(destination: Destination | undefined): void {
    if (destination === undefined) return;
    onClose();
    if (destination.kind === "person" && destination.personId !== undefined && destination.personId !== null) {
      writeTo(client, live, [destination.personId]).catch((thrown: unknown) => say(errorText(asApiError(thrown))));
    } else navigate(destination.path);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "Enter") {
      event.preventDefault();
      go(found.peek()[index.peek()]);
      return;
    }
    if (event.key === "Home" || event.key === "End") return;
    const next = rovingTarget(event.key, index.peek(), found.peek().length, "vertical");
    if (next === undefined) return;
    event.preventDefault();
    index.value = next;
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
  }

  const list = found.value;
  return (
    <dialog
      ref={dialog}
      class="dialog switcher"
      aria-label={words.goTo}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="switcher-field">
        <Icon node={Search} />
        <input
          type="text"
          role="combobox"
          aria-label={words.goTo}
          aria-expanded={list.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          {...(list.length > 0 ? { "aria-activedescendant": `${id}-${index.value}` } : {})}
          placeholder={words.goToPlaceholder}
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            index.value = 0;
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div class="switcher-list" id={`${id}-list`} role="listbox" aria-label={words.results}>
        {list.map((destination, at) => (
          <div
            key={destination.id}
            id={`${id}-${at}`}
            class="switcher-item"
            role="option"
            aria-selected={at === index.value}
            onClick={() => go(destination)}
          >
            <Picture destination={destination} />
            <span class="switcher-name one-line">{destination.name}</span>
            <span class="switcher-where one-line">
              {destination.within === undefined
                ? words[destination.kind]
                : words.inPlace({ place: destination.within })}
            </span>
          </div>
        ))}
      </div>
      <p class="switcher-foot" role="status">
        {list.length === 0 ? words.goToNone : words.goToHint}
      </p>
    </dialog>
  );
}

const ICONS = { text: Hash, voice: Volume2, direct: UsersRound } as const;

function Picture({ destination: { id, name, kind, personId } }: { readonly destination: Destination }) {
  if (kind === "place" || kind === "person") return <Avatar id={id} name={name} side={24} />;
  if (kind === "direct" && personId !== undefined && personId !== null) {
    return <Avatar id={personId} name={name} side={24} />;
  }
  return <Icon node={ICONS[kind]} />;
}
