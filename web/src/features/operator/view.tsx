import { Activity, DoorOpen, ListChecks, Server, Users } from "lucide";
import type { ComponentType } from "preact";
import { useClient } from "../../app/client-context.ts";
import { NotFound } from "../../app/not-found.tsx";
import { href, OPERATOR_PAGES, type OperatorPage } from "../../app/route.ts";
import { type SettingsLink, SettingsShell } from "../../app/settings-shell.tsx";
import { DoorPage } from "./door-page.tsx";
import { HealthPage } from "./health-page.tsx";
import { LogPage } from "./log-page.tsx";
import { NodesPage } from "./nodes-page.tsx";
import { PeoplePage } from "./people-page.tsx";
import "./view.css";
import { operatorWords } from "./words.ts";

const PAGES: Readonly<Record<OperatorPage, { readonly icon: SettingsLink["icon"]; readonly page: ComponentType }>> = {
  people: { icon: Users, page: PeoplePage },
  door: { icon: DoorOpen, page: DoorPage },
  nodes: { icon: Server, page: NodesPage },
  health: { icon: Activity, page: HealthPage },
  log: { icon: ListChecks, page: LogPage },
};

/** For who runs the place: who has an account, who may come in, the machines, and what operators did. Nothing that anybody wrote. */
export function OperatorView({ page }: { readonly page: OperatorPage | null }) {
  const session = useClient().session.value;
  const words = operatorWords.value;
  if (session.kind !== "signedIn" || !session.user.operator) return <NotFound />;
  const { page: Page } = PAGES[page ?? "people"];
  return (
    <SettingsShell
      title={words.title}
      links={OPERATOR_PAGES.map((id) => ({
        id,
        icon: PAGES[id].icon,
        label: words[id],
        path: href({ name: "operator", page: id }),
      }))}
      current={page}
      listPath={href({ name: "operator", page: null })}
      up={{ path: href({ name: "settings", page: null }), label: words.back }}
    >
      <Page />
    </SettingsShell>
  );
}
