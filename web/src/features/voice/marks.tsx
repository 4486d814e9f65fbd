import type { VoiceMember } from "@lescopains/protocol/voice";
import { HeadphoneOff, MicOff, MonitorUp, Video } from "lucide";
import { Icon } from "../../ui/icon.tsx";

/** Small pictures for what a member does; the words stand beside them. */
export function Marks({ member, size = 16 }: { readonly member: VoiceMember; readonly size?: number }) {
  const { muted, deafened, camera, screenSharing, serverMuted, serverDeafened } = member;
  return (
    <span class="marks" data-by-moderator={serverMuted || serverDeafened}>
      {screenSharing && <Icon node={MonitorUp} size={size} />}
      {camera && <Icon node={Video} size={size} />}
      {(muted || serverMuted) && <Icon node={MicOff} size={size} />}
      {(deafened || serverDeafened) && <Icon node={HeadphoneOff} size={size} />}
    </span>
  );
}
