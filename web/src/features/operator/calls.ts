import { OPERATOR_REST } from "@lescopains/protocol/operator-rest";
import { useMemo } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";

/** What only operators ask: its schemas are loaded with these pages. */
export function useOperatorCalls() {
  const client = useClient();
  return useMemo(() => client.calls(OPERATOR_REST), [client]);
}
