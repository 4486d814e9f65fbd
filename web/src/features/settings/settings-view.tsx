import { useSignal } from "@preact/signals";
import {
  AudioLines,
  Keyboard,
  KeyRound,
  LaptopMinimal,
  LogOut,
  MonitorSmartphone,
  Palette,
  ShieldCheck,
  UserRound,
  Wrench,
} from "lucide";
import type { ComponentType } from "preact";
import { useClient } from "../../app/client-context.ts";
import { lastChannel, lastServer } from "../../app/last-place.ts";
import { href, SETTINGS_PAGES, type SettingsPage } from "../../app/route.ts";
import { type SettingsLink, SettingsShell } from "../../app/settings-shell.tsx";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { AppearancePage } from "./appearance-page.tsx";
import { KeyboardPage } from "./keyboard-page.tsx";
import { ProfilePage } from "./profile-page.tsx";
import { SecurityPage } from "./security-page.tsx";
import { SessionsPage } from "./sessions-page.tsx";
import "./view.css";
import { settingsWords } from "./words.ts";

const ICONS: Readonly<Record<SettingsPage, SettingsLink["icon"]>> = {
  profile: UserRound,
  security: ShieldCheck,
  sessions: MonitorSmartphone,
  devices: LaptopMinimal,
  recovery: KeyRound,
  appearance: Palette,
  voice: AudioLines,
  keyboard: Keyboard,
};

const PAGES = {
  profile: ProfilePage,
  security: SecurityPage,
  sessions: SessionsPage,
  appearance: AppearancePage,
  keyboard: KeyboardPage,
} as const satisfies Partial<Record<SettingsPage, ComponentType>>;

/** Where one was before: the last conversation, or home. */
function upPath(): string {
  const serverId = lastServer();
  const channelId = serverId === undefined ? undefined : lastChannel(serverId);
  return serverId === undefined || channelId === undefined ? "/" : href({ name: "channel", serverId, channelId });
}

export interface SettingsViewProps {
  readonly page: SettingsPage | null;
  /** Pages of other features. */
  readonly others: Readonly<Record<Exclude<SettingsPage, keyof typeof PAGES>, ComponentType>>;
  /** Says what signing out deletes here, and does it. */
  readonly logout: ComponentType<{ readonly onClose: () => void }>;
}

/** One's own account and this browser's habits. */
export function SettingsView({ page, others, logout: Logout }: SettingsViewProps) {
  const session = useClient().session.value;
  const words = settingsWords.value;
  const leaving = useSignal(false);
  const Page = { ...PAGES, ...others }[page ?? "profile"];
  return (
    <SettingsShell
      title={words.title}
      links={SETTINGS_PAGES.map((id) => ({
        id,
        icon: ICONS[id],
        label: words[id],
        path: href({ name: "settings", page: id }),
      }))}
      current={page}
      listPath={href({ name: "settings", page: null })}
      up={{ path: upPath(), label: words.backTo }}
      foot={
        <>
          {session.kind === "signedIn" && session.user.operator && (
            <a class="settings-link" href={href({ name: "operator", page: null })}>
              <Icon node={Wrench} size={18} />
              <span class="one-line">{words.operator}</span>
            </a>
          )}
          <Button kind="quiet" wide icon={LogOut} onClick={() => (leaving.value = true)}>
            {words.logout}
          </Button>
        </>
      }
    >
      <Page />
      {leaving.value && <Logout onClose={() => (leaving.value = false)} />}
    </SettingsShell>
  );
}
