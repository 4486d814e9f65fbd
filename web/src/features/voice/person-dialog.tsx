import type { ChannelId } from "@lescopains/protocol/ids";
import type { VoiceMember, VoicePatch } from "@lescopains/protocol/voice";
import { PhoneOff } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { isDirect } from "../../app/direct.ts";
import { errorText } from "../../app/errors.ts";
import { numberFormat } from "../../app/i18n.ts";
import { may } from "../../app/rights.ts";
import { useTask } from "../../app/task.ts";
import { voicePrefs } from "../../app/voice-prefs.ts";
import { appWords } from "../../app/words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, Switch } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Slider } from "../../ui/slider.tsx";
import { VOLUMES } from "../../voice/prefs.ts";
import { stateWords } from "./people.ts";
import { voiceWords } from "./words.ts";

const percent = numberFormat({ style: "percent" });

interface PersonDialogProps {
  readonly channelId: ChannelId;
  readonly member: VoiceMember;
  readonly onClose: () => void;
}

/** One person in the call: how loud one hears them, and what a moderator may do. */
export function PersonDialog({ channelId, member, onClose }: PersonDialogProps) {
  const live = useLive();
  const words = voiceWords.value;
  const { userId } = member;
  const name = live.person(userId).value?.displayName ?? "…";
  const volume = voicePrefs.volumeOf(userId).value;
  const states = stateWords(member, false);
  return (
    <Dialog title={name} closeLabel={appWords.value.close} onClose={onClose}>
      <div class="person">
        <Avatar id={userId} name={name} side={64} />
        <p class="person-sub">{states}</p>
      </div>
      <Slider
        label={words.volumeOf({ name })}
        min={VOLUMES.min}
        max={VOLUMES.max}
        step={5}
        value={volume}
        text={percent.value.format(volume / 100)}
        onValue={(next) => voicePrefs.setVolume(userId, next)}
      />
      <Moderation channelId={channelId} member={member} onClose={onClose} />
    </Dialog>
  );
}

/** What a moderator may do about someone. The server decides for good. */
function Moderation({ channelId, member, onClose }: PersonDialogProps) {
  const client = useClient();
  const live = useLive();
  const words = voiceWords.value;
  const task = useTask();
  const channel = live.channel(channelId).value;
  if (channel === undefined || isDirect(channel) || channel.serverId === null) return null;
  const params = { id: channelId, userId: member.userId };
  const mayMute = may(channel.permissions, "muteMembers");
  const mayDeafen = may(channel.permissions, "deafenMembers");
  const mayMove = may(channel.permissions, "moveMembers");
  const others = live.channels(channel.serverId).value.filter(({ type, id }) => type === "voice" && id !== channelId);

  function patch(body: VoicePatch, ends = false): void {
    void task.run(async () => {
      await client.api.call("patchVoiceMember", { params, body });
      if (ends) onClose();
    });
  }

  return (
    <>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {mayMute && (
        <Switch
          label={words.serverMute}
          hint={words.serverMuteHint}
          checked={member.serverMuted}
          disabled={task.busy.value}
          onChecked={(muted) => patch({ muted })}
        />
      )}
      {mayDeafen && (
        <Switch
          label={words.serverDeafen}
          hint={words.serverDeafenHint}
          checked={member.serverDeafened}
          disabled={task.busy.value}
          onChecked={(deafened) => patch({ deafened })}
        />
      )}
      {mayMove && others.length > 0 && (
        <SelectField
          label={words.moveTo}
          value=""
          disabled={task.busy.value}
          options={[
            { value: "", label: words.moveNowhere },
            ...others.map(({ id, name }) => ({ value: id as string, label: name })),
          ]}
          onValue={(id) => {
            const target = others.find((other) => other.id === id);
            if (target !== undefined) patch({ channelId: target.id }, true);
          }}
        />
      )}
      {mayMove && (
        <div class="actions actions-start">
          <Button
            kind="danger-quiet"
            icon={PhoneOff}
            busy={task.busy.value}
            onClick={() =>
              void task.run(async () => {
                await client.api.call("removeVoiceMember", { params });
                onClose();
              })
            }
          >
            {words.disconnect}
          </Button>
        </div>
      )}
    </>
  );
}
