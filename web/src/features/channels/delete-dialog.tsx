import type { Channel } from "@lescopains/protocol/entities";
import { useClient } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { channelWords } from "./words.ts";

interface DeleteChannelProps {
  readonly channel: Channel;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteChannelDialog({ channel, onClose, onDeleted }: DeleteChannelProps) {
  const client = useClient();
  const words = channelWords.value;
  return (
    <Confirm
      title={words.removeTitle({ name: channel.name })}
      action={words.remove}
      onClose={onClose}
      onConfirm={async () => {
        await client.api.call("deleteChannel", { params: { id: channel.id } });
        onDeleted?.();
      }}
    >
      <p>{words.removeHelp}</p>
    </Confirm>
  );
}
