import type { Channel, Overwrite, Role, Server } from "@lescopains/protocol/entities";
import type { ChannelId, ServerId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { Hash } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { NotFound } from "../../app/not-found.tsx";
import { may } from "../../app/rights.ts";
import { roleColor } from "../../app/role-color.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { SettingsShell } from "../../app/settings-shell.tsx";
import { Splash } from "../../app/splash.tsx";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { SelectField, TextArea, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { DeleteChannelDialog } from "./delete-dialog.tsx";
import { isBlank, type Stance, stanceOf, withStance } from "./model.ts";
import "./settings-view.css";
import { channelWords } from "./words.ts";

export interface ChannelSettingsViewProps {
  readonly serverId: ServerId;
  readonly channelId: ChannelId;
}

/** One channel: name, topic, who may see it and write in it, its end. */
export function ChannelSettingsView({ serverId, channelId }: ChannelSettingsViewProps) {
  const live = useLive();
  const words = channelWords.value;
  const server = live.server(serverId).value;
  const channel = live.channels(serverId).value.find(({ id }) => id === channelId);
  const deleting = useSignal(false);

  if (!live.ready.value) return <Splash unreachable={false} />;
  if (server === undefined || channel === undefined) return <NotFound />;
  const path = href({ name: "channelSettings", serverId, channelId });
  const conversation = href({ name: "channel", serverId, channelId });
  const mayManage = may(channel.permissions, "manageChannels");
  return (
    <SettingsShell
      title={words.settingsFor({ name: channel.name })}
      links={[{ id: "overview", label: channel.name, icon: Hash, path }]}
      current="overview"
      listPath={conversation}
      up={{ path: conversation, label: words.toChannel }}
    >
      {mayManage ? (
        <>
          <NameForm channel={channel} />
          {may(channel.permissions, "manageRoles") && <Access server={server} channel={channel} />}
          <section class="section">
            <h2>{words.remove}</h2>
            <p>{words.removeHelp}</p>
            <div class="actions actions-start">
              <Button kind="danger-quiet" onClick={() => (deleting.value = true)}>
                {words.remove}
              </Button>
            </div>
          </section>
        </>
      ) : (
        <Notice kind="caution">{words.notAllowed}</Notice>
      )}
      {deleting.value && (
        <DeleteChannelDialog
          channel={channel}
          onClose={() => (deleting.value = false)}
          onDeleted={() => navigate(href({ name: "server", serverId }), { replace: true })}
        />
      )}
    </SettingsShell>
  );
}

function NameForm({ channel }: { readonly channel: Channel }) {
  const client = useClient();
  const live = useLive();
  const words = channelWords.value;
  const task = useTask();
  const name = useSignal(channel.name);
  const topic = useSignal(channel.topic ?? "");
  const trimmed = { name: name.value.trim(), topic: topic.value.trim() };
  const changed = trimmed.name !== channel.name || trimmed.topic !== (channel.topic ?? "");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (trimmed.name === "" || !changed) return;
    await task.run(async () => {
      const body = { name: trimmed.name, topic: trimmed.topic === "" ? null : trimmed.topic };
      live.putChannel(await client.api.call("patchChannel", { params: { id: channel.id }, body }));
      say(appWords.value.saved);
    });
  }

  return (
    <form class="section" noValidate onSubmit={(event) => void submit(event)}>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <TextField
        label={words.name}
        maxLength={LIMITS.channelNameMax}
        autocomplete="off"
        value={name.value}
        onValue={(text) => (name.value = text)}
        error={trimmed.name === "" ? words.nameMissing : undefined}
      />
      <TextArea
        label={words.topic}
        optional={appWords.value.optional}
        hint={words.topicHint}
        maxLength={LIMITS.topicMax}
        rows={2}
        value={topic.value}
        onValue={(text) => (topic.value = text)}
      />
      <div class="actions actions-start">
        <Button kind="primary" type="submit" busy={task.busy.value} disabled={!changed || trimmed.name === ""}>
          {appWords.value.save}
        </Button>
      </div>
    </form>
  );
}

interface AccessProps {
  readonly server: Server;
  readonly channel: Channel;
}

/** What this channel changes of each role's rights; every choice takes effect at once. */
function Access({ server, channel }: AccessProps) {
  const client = useClient();
  const words = channelWords.value;
  const task = useTask();
  const roles = server.roles.toSorted(
    (one, other) => Number(other.isDefault) - Number(one.isDefault) || other.position - one.position,
  );

  function change(role: Role, permission: "viewChannel" | "sendMessages", stance: Stance): void {
    const params = { id: channel.id, targetId: role.id };
    const next = withStance(overwriteOf(channel, role), permission, stance);
    void task.run(async () => {
      if (isBlank(next)) await client.api.call("deleteOverwrite", { params });
      else await client.api.call("putOverwrite", { params, body: { type: "role", ...next } });
    });
  }

  const options = [
    { value: "inherit", label: words.inherit },
    { value: "allow", label: words.allow },
    { value: "deny", label: words.deny },
  ] as const;
  return (
    <section class="section">
      <h2>{words.access}</h2>
      <p>{words.accessLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {roles.map((role) => (
        <fieldset class="access" key={role.id} disabled={task.busy.value}>
          <legend>
            {!role.isDefault && (
              <span class="access-dot" style={{ "--role": roleColor(role.color) ?? "var(--line-strong)" }} />
            )}
            {role.isDefault ? words.everyone : role.name}
          </legend>
          <SelectField
            label={words.mayView}
            value={stanceOf(overwriteOf(channel, role), "viewChannel")}
            options={options}
            onValue={(stance) => change(role, "viewChannel", stance)}
          />
          <SelectField
            label={words.maySend}
            value={stanceOf(overwriteOf(channel, role), "sendMessages")}
            options={options}
            onValue={(stance) => change(role, "sendMessages", stance)}
          />
        </fieldset>
      ))}
    </section>
  );
}

function overwriteOf(channel: Channel, role: Role): Overwrite | undefined {
  return channel.overwrites.find(({ targetId }) => targetId === role.id);
}
