import type { Server } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { ChevronDown, LogOut, Settings, UserPlus } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { may } from "../../app/rights.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem } from "../../ui/menu.tsx";
import { say } from "../../ui/toasts.tsx";
import "./server-menu.css";
import { serverWords } from "./words.ts";

/** Any of these has a page in the settings. */
const SETTINGS_RIGHTS = ["manageServer", "manageRoles", "banMembers"] as const;

interface ServerMenuProps {
  readonly server: Server;
  /** The column has the screen to itself, so its name is the view's heading. */
  readonly asTitle: boolean;
  readonly onInvite: () => void;
}

/** The head of the channel column: the place's name, and what one can do with it. */
export function ServerMenu({ server, asTitle, onInvite }: ServerMenuProps) {
  const live = useLive();
  const client = useClient();
  const words = serverWords.value;
  const leaving = useSignal(false);
  const isOwner = server.ownerId === live.self.value.id;

  const items: MenuItem[] = [];
  if (may(server.permissions, "createInvites")) {
    items.push({ label: words.invitePeople, icon: UserPlus, onSelect: onInvite });
  }
  if (SETTINGS_RIGHTS.some((right) => may(server.permissions, right))) {
    items.push({
      label: words.settings,
      icon: Settings,
      onSelect: () => navigate(href({ name: "serverSettings", serverId: server.id, page: null })),
    });
  }
  items.push(null, {
    label: words.leave,
    icon: LogOut,
    danger: true,
    onSelect: () => {
      if (isOwner) say(serverWords.value.ownerStays);
      else leaving.value = true;
    },
  });

  const Title = asTitle ? "h1" : "h2";
  return (
    <div class="place-head">
      <Menu
        label={words.menuFor({ name: server.name })}
        items={items}
        trigger={(props) => (
          <Title class="place-name">
            <button {...props} type="button" class="place-button">
              <span class="one-line">{server.name}</span>
              <Icon node={ChevronDown} size={18} />
            </button>
          </Title>
        )}
      />
      {leaving.value && (
        <Confirm
          title={words.leaveTitle({ name: server.name })}
          action={words.leave}
          onClose={() => (leaving.value = false)}
          onConfirm={async () => {
            const params = { id: server.id, userId: live.self.peek().id };
            await client.api.call("removeMember", { params });
          }}
        >
          <p>{words.leaveHelp}</p>
        </Confirm>
      )}
    </div>
  );
}
