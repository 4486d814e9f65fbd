import type { ChannelId } from "@lescopains/protocol/ids";
import { type LazyView, lazyView } from "./lazy.tsx";

/** Every view, in a chunk of its own: a visitor who signs in has loaded one of them. */
export const LoginView = lazyView(async () => (await import("../features/auth/login-view.tsx")).LoginView);
export const RegisterView = lazyView(async () => (await import("../features/auth/register-view.tsx")).RegisterView);
export const InviteView = lazyView(async () => (await import("../features/invites/invite-view.tsx")).InviteView);
export const Frame = lazyView(async () => (await import("./frame/frame.tsx")).Frame);
export const ConversationView: LazyView<{ readonly channelId: ChannelId }> = lazyView(
  async () => (await import("../features/conversation/view.tsx")).ConversationView,
);
export const Companion = lazyView(async () => (await import("./companion.tsx")).Companion);
export const SettingsView = lazyView(async () => (await import("../features/settings/settings-view.tsx")).SettingsView);
export const ServerSettingsView = lazyView(
  async () => (await import("../features/servers/settings/settings-view.tsx")).ServerSettingsView,
);
export const ChannelSettingsView = lazyView(
  async () => (await import("../features/channels/settings-view.tsx")).ChannelSettingsView,
);
