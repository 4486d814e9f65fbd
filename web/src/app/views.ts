import type { ConversationViewProps } from "../features/conversation/view.tsx";
import type { LogoutDialogProps } from "../features/devices/logout-dialog.tsx";
import type { RecoveryFirstProps } from "../features/devices/recovery-first.tsx";
import type { SafetyViewProps } from "../features/safety/safety-view.tsx";
import type { SettingsViewProps } from "../features/settings/settings-view.tsx";
import type { CallBarProps } from "../features/voice/call-bar.tsx";
import type { CallPanelProps } from "../features/voice/call-panel.tsx";
import type { VoiceRoomProps } from "../features/voice/room-view.tsx";
import type { DockProps, VoiceProps } from "../features/voice/dock.tsx";
import type { RingDialogProps } from "../features/voice/ring-dialog.tsx";
import { type LazyView, lazyView } from "./lazy.tsx";

/** Every view, in a chunk of its own: a visitor who signs in has loaded one of them. */
export const LoginView = lazyView(async () => (await import("../features/auth/login-view.tsx")).LoginView);
export const RegisterView = lazyView(async () => (await import("../features/auth/register-view.tsx")).RegisterView);
export const ResetView = lazyView(async () => (await import("../features/auth/reset-view.tsx")).ResetView);
export const InviteView = lazyView(async () => (await import("../features/invites/invite-view.tsx")).InviteView);
export const Frame = lazyView(async () => (await import("./frame/frame.tsx")).Frame);
export const ConversationView: LazyView<ConversationViewProps> = lazyView(
  async () => (await import("../features/conversation/view.tsx")).ConversationView,
);
export const CallTop = lazyView(async () => (await import("./call-top.tsx")).CallTop, { beside: true });
export const Companion = lazyView(async () => (await import("./companion.tsx")).Companion);
export const SettingsView: LazyView<SettingsViewProps> = lazyView(
  async () => (await import("../features/settings/settings-view.tsx")).SettingsView,
);
export const ServerSettingsView = lazyView(
  async () => (await import("../features/servers/settings/settings-view.tsx")).ServerSettingsView,
);
export const ChannelSettingsView = lazyView(
  async () => (await import("../features/channels/settings-view.tsx")).ChannelSettingsView,
);
export const OperatorView = lazyView(async () => (await import("../features/operator/view.tsx")).OperatorView);
export const ClaimView = lazyView(async () => (await import("../features/operator/claim-view.tsx")).ClaimView);
export const NewDmView = lazyView(async () => (await import("../features/dms/new-view.tsx")).NewDmView);
export const SafetyView: LazyView<SafetyViewProps> = lazyView(
  async () => (await import("../features/safety/safety-view.tsx")).SafetyView,
);
export const ArriveView = lazyView(async () => (await import("../features/devices/arrive-view.tsx")).ArriveView);
export const DevicesPage = lazyView(async () => (await import("../features/devices/devices-page.tsx")).DevicesPage);
export const ApprovePage = lazyView(async () => (await import("../features/devices/approve-page.tsx")).ApprovePage);
export const RecoveryPage = lazyView(async () => (await import("../features/devices/recovery-page.tsx")).RecoveryPage);
export const LogoutDialog: LazyView<LogoutDialogProps> = lazyView(
  async () => (await import("../features/devices/logout-dialog.tsx")).LogoutDialog,
);
export const RecoveryFirst: LazyView<RecoveryFirstProps> = lazyView(
  async () => (await import("../features/devices/recovery-first.tsx")).RecoveryFirst,
);
export const VoicePage = lazyView(async () => (await import("../features/voice/settings/voice-page.tsx")).VoicePage);
export const VoiceRoom: LazyView<VoiceRoomProps> = lazyView(
  async () => (await import("../features/voice/room-view.tsx")).VoiceRoom,
);
export const VoiceDock: LazyView<DockProps> = lazyView(
  async () => (await import("../features/voice/dock.tsx")).VoiceDock,
  { beside: true },
);
export const CallBar: LazyView<CallBarProps> = lazyView(
  async () => (await import("../features/voice/call-bar.tsx")).CallBar,
  { beside: true },
);
export const VoiceCompanion: LazyView<VoiceProps> = lazyView(
  async () => (await import("../features/voice/companion.tsx")).VoiceCompanion,
  { beside: true },
);
export const CallPanel: LazyView<CallPanelProps> = lazyView(
  async () => (await import("../features/voice/call-panel.tsx")).CallPanel,
  { beside: true },
);
export const RingDialog: LazyView<RingDialogProps> = lazyView(
  async () => (await import("../features/voice/ring-dialog.tsx")).RingDialog,
  { beside: true },
);
