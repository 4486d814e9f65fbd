import type { Server } from "@lescopains/protocol/entities";
import type { ServerId } from "@lescopains/protocol/ids";
import { Ban, House, Shield, Users } from "lucide";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { useLive } from "../../../app/client-context.ts";
import { lastChannel } from "../../../app/last-place.ts";
import { NotFound } from "../../../app/not-found.tsx";
import { may } from "../../../app/rights.ts";
import { href, type ServerPage } from "../../../app/route.ts";
import { type SettingsLink, SettingsShell } from "../../../app/settings-shell.tsx";
import { Splash } from "../../../app/splash.tsx";
import { BansPage } from "./bans-page.tsx";
import { EveryonePage } from "./everyone-page.tsx";
import { OverviewPage } from "./overview-page.tsx";
import { RolesPage } from "./roles-page.tsx";
import "./view.css";
import { serverSettingsWords } from "./words.ts";

interface Page {
  readonly id: ServerPage;
  readonly icon: SettingsLink["icon"];
  readonly page: ComponentType<{ readonly server: Server }>;
  readonly right: "manageServer" | "manageRoles" | "banMembers";
}

const PAGES: readonly Page[] = [
  { id: "overview", icon: House, page: OverviewPage, right: "manageServer" },
  { id: "everyone", icon: Users, page: EveryonePage, right: "manageRoles" },
  { id: "roles", icon: Shield, page: RolesPage, right: "manageRoles" },
  { id: "bans", icon: Ban, page: BansPage, right: "banMembers" },
];

export interface ServerSettingsViewProps {
  readonly serverId: ServerId;
  readonly page: ServerPage | null;
}

/** The settings of a place: the pages that one has the right to. */
export function ServerSettingsView({ serverId, page }: ServerSettingsViewProps) {
  const live = useLive();
  const words = serverSettingsWords.value;
  const server = live.server(serverId).value;
  useEffect(() => live.openServer(serverId), [live, serverId]);

  if (!live.ready.value) return <Splash unreachable={false} />;
  if (server === undefined) return <NotFound />;
  const pages = PAGES.filter(({ right }) => may(server.permissions, right));
  const shown = page === null ? pages[0] : pages.find(({ id }) => id === page);
  if (shown === undefined) return <NotFound />;
  const channelId = lastChannel(serverId);
  return (
    <SettingsShell
      title={words.title({ name: server.name })}
      links={pages.map(({ id, icon }) => ({
        id,
        icon,
        label: words[id],
        path: href({ name: "serverSettings", serverId, page: id }),
      }))}
      current={page}
      listPath={href({ name: "serverSettings", serverId, page: null })}
      up={{
        path:
          channelId === undefined ? href({ name: "server", serverId }) : href({ name: "channel", serverId, channelId }),
        label: words.back,
      }}
    >
      <shown.page server={server} />
    </SettingsShell>
  );
}
