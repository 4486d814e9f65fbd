import type { DirectChannel, User } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { ShieldAlert } from "lucide";
import { Confirm } from "../../app/confirm.tsx";
import { useKeys } from "../../app/keys.ts";
import { href } from "../../app/route.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { say } from "../../ui/toasts.tsx";
import "./safety.css";
import { safetyWords } from "./words.ts";

interface IdentityBarProps {
  readonly channel: DirectChannel;
  readonly person: User;
}

/** In place of the composer while a verified person's number has changed: nothing is sent until the reader has decided. */
export function IdentityBar({ channel, person }: IdentityBarProps) {
  const keys = useKeys();
  const words = safetyWords.value;
  const accepting = useSignal(false);
  const name = person.displayName;
  return (
    <section class="identity-bar" role="alert">
      <h2>
        <Icon node={ShieldAlert} />
        {words.blockedTitle({ name })}
      </h2>
      <p>{words.blockedHelp}</p>
      <div class="actions actions-start">
        <a class="button button-primary" href={href({ name: "safety", channelId: channel.id, userId: person.id })}>
          {words.compare}
        </a>
        <Button onClick={() => (accepting.value = true)}>{words.accept}</Button>
      </div>
      {accepting.value && (
        <Confirm
          title={words.acceptTitle({ name })}
          action={words.accept}
          onClose={() => (accepting.value = false)}
          onConfirm={async () => {
            keys.notePeer(await keys.port.ask("peer:accept", { userId: person.id }));
            say(safetyWords.value.accepted);
          }}
        >
          <p>{words.acceptHelp}</p>
        </Confirm>
      )}
    </section>
  );
}
