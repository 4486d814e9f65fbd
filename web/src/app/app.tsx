import { useEffect } from "preact/hooks";
import { HintLayer } from "../ui/hint.tsx";
import { Toasts } from "../ui/toasts.tsx";
import "./app.css";
import { LiveContext, useClient } from "./client-context.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { useViewFocus } from "./focus.ts";
import { keep, kept } from "./kept.ts";
import { NotFound } from "./not-found.tsx";
import { isFrameRoute } from "./frame/panels.ts";
import { href, nextAfterSignIn, type Route } from "./route.ts";
import { navigate, route } from "./router.ts";
import { Splash } from "./splash.tsx";
import {
  ApprovePage,
  CallTop,
  ChannelSettingsView,
  ClaimView,
  Companion,
  DevicesPage,
  Frame,
  InviteView,
  LoginView,
  LogoutDialog,
  OperatorView,
  RecoveryPage,
  RegisterView,
  ResetView,
  ServerSettingsView,
  SettingsView,
  VoicePage,
} from "./views.ts";
import { appWords } from "./words.ts";

/** Views that a visitor may see. */
const OPEN: ReadonlySet<Route["name"]> = new Set(["login", "register", "reset", "invite", "claim", "notFound"]);
/** Kept while someone is signed in here, so that a first visit need not wait for the server to see the sign-in page. */
const BEEN_HERE = "signed-in";

/** Pages of the settings that other features bring. */
const SETTINGS_OTHERS = { devices: DevicesPage, recovery: RecoveryPage, voice: VoicePage };
const APPROVING = { ...SETTINGS_OTHERS, devices: ApprovePage };

function OpenView({ view }: { readonly view: Route }) {
  switch (view.name) {
    case "login":
      return <LoginView />;
    case "register":
      return <RegisterView />;
    case "invite":
      return <InviteView code={view.code} signedIn={false} />;
    case "claim":
      return <ClaimView />;
    default:
      return <NotFound />;
  }
}

function SignedInView({ view }: { readonly view: Route }) {
  switch (view.name) {
    case "login":
    case "register":
    case "reset":
      return <Splash unreachable={false} />;
    case "invite":
      return <InviteView code={view.code} signedIn />;
    case "operator":
      return <OperatorView page={view.page} />;
    case "claim":
      return <ClaimView />;
    case "settings":
      return <SettingsView page={view.page} others={SETTINGS_OTHERS} logout={LogoutDialog} />;
    case "approveDevice":
      return <SettingsView page="devices" others={APPROVING} logout={LogoutDialog} />;
    case "serverSettings":
      return <ServerSettingsView serverId={view.serverId} page={view.page} />;
    case "channelSettings":
      return <ChannelSettingsView serverId={view.serverId} channelId={view.channelId} />;
    case "notFound":
      return <NotFound />;
    default:
      return <Frame view={view} />;
  }
}

/** Who is there decides what an address shows. */
function Content({ view }: { readonly view: Route }) {
  const client = useClient();
  const session = client.session.value;
  const live = client.live.value;

  useEffect(() => {
    if (session.kind === "signedOut" && !OPEN.has(view.name)) {
      const here = location.pathname + location.search;
      navigate(here === "/" ? href({ name: "login" }) : `/login?next=${encodeURIComponent(here)}`, { replace: true });
    }
    if (session.kind === "signedIn" && (view.name === "login" || view.name === "register")) {
      navigate(nextAfterSignIn(location.search), { replace: true });
    }
  }, [session.kind, view]);
  useEffect(() => {
    if (session.kind === "signedIn") {
      Frame.preload();
      Companion.preload();
    }
    if (session.kind !== "restoring") keep(BEEN_HERE, session.kind === "signedIn" ? "yes" : null);
  }, [session.kind]);

  // The same for whoever is signed in here, and until the end: a new password ends that person's session while it is being set.
  if (view.name === "reset") return <ResetView />;
  if (session.kind === "signedIn") {
    if (live === null) return <Splash unreachable={false} />;
    return (
      <LiveContext.Provider value={live}>
        {isFrameRoute(view) && (
          <a class="skip-link" href="#content">
            {appWords.value.skipToContent}
          </a>
        )}
        <CallTop view={view} />
        <div class="app-view">
          <SignedInView view={view} />
        </div>
        <Companion />
      </LiveContext.Provider>
    );
  }
  const waiting = session.kind === "restoring" && (kept(BEEN_HERE) !== null || !OPEN.has(view.name));
  if (waiting) return <Splash unreachable={session.unreachable} />;
  return OPEN.has(view.name) ? <OpenView view={view} /> : <Splash unreachable={false} />;
}

/** What counts as another view for the focus: a new place, not a panel that opens beside it. */
function focusKey(view: Route): string {
  if (view.name === "notFound") return view.name;
  if (view.name === "members") return href({ ...view, name: "channel" });
  return view.name === "dmPeople" ? href({ ...view, name: "dm" }) : href(view);
}

export function App() {
  const view = route.value;
  useViewFocus(focusKey(view));
  return (
    <>
      <ErrorBoundary resetKey={focusKey(view)}>
        <Content view={view} />
      </ErrorBoundary>
      <Toasts closeLabel={appWords.value.close} />
      <HintLayer />
    </>
  );
}
