import { Keyboard, LogOut, MonitorSmartphone, Palette, ShieldCheck, UserRound } from "lucide";
import type { ComponentType } from "preact";
import { useClient } from "../../app/client-context.ts";
import { lastChannel, lastServer } from "../../app/last-place.ts";
import { href, type SettingsPage } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { type SettingsLink, SettingsShell } from "../../app/settings-shell.tsx";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { AppearancePage } from "./appearance-page.tsx";
import { KeyboardPage } from "./keyboard-page.tsx";
import { ProfilePage } from "./profile-page.tsx";
import { SecurityPage } from "./security-page.tsx";
import { SessionsPage } from "./sessions-page.tsx";
import "./view.css";
import { settingsWords } from "./words.ts";

const PAGES: readonly {
  readonly id: SettingsPage;
  readonly icon: SettingsLink["icon"];
  readonly page: ComponentType;
}[] = [
  { id: "profile", icon: UserRound, page: ProfilePage },
  { id: "security", icon: ShieldCheck, page: SecurityPage },
  { id: "sessions", icon: MonitorSmartphone, page: SessionsPage },
  { id: "appearance", icon: Palette, page: AppearancePage },
  { id: "keyboard", icon: Keyboard, page: KeyboardPage },
];

/** Where one was before: the last conversation, or home. */
function upPath(): string {
  const serverId = lastServer();
  const channelId = serverId === undefined ? undefined : lastChannel(serverId);
  return serverId === undefined || channelId === undefined ? "/" : href({ name: "channel", serverId, channelId });
}

export interface SettingsViewProps {
  readonly page: SettingsPage | null;
}

/** One's own account and this browser's habits. */
export function SettingsView({ page }: SettingsViewProps) {
  const client = useClient();
  const words = settingsWords.value;
  const leaving = useTask();
  const Page = PAGES.find(({ id }) => id === page)?.page ?? ProfilePage;
  return (
    <SettingsShell
      title={words.title}
      links={PAGES.map(({ id, icon }) => ({ id, icon, label: words[id], path: href({ name: "settings", page: id }) }))}
      current={page}
      listPath={href({ name: "settings", page: null })}
      up={{ path: upPath(), label: words.backTo }}
      foot={
        <Button
          kind="quiet"
          wide
          icon={LogOut}
          busy={leaving.busy.value}
          onClick={() =>
            void leaving.run(async () => {
              await client.logout();
              navigate("/login", { replace: true });
            })
          }
        >
          {words.logout}
        </Button>
      }
    >
      <Page />
    </SettingsShell>
  );
}
