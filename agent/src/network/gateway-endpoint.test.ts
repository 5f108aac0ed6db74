import { expect, test } from "vitest";
import { gatewayEndpoint } from "./gateway-endpoint.ts";

const networks: Readonly<Record<string, { name: string; is_internal: boolean }>> = {
  1: { name: "bridge", is_internal: false },
  2: { name: "app", is_internal: false },
  3: { name: "aaa", is_internal: true },
};
const networkOf = (id: string): { name: string; is_internal: boolean } => networks[id] ?? { name: "", is_internal: true };

test.each([
  [["1"], "1"],
  [["1", "2"], "2"],
  [["2", "1", "3"], "2"],
  [["3", "1"], "1"],
  [["3"], undefined],
  [[], undefined],
])("of networks %j it is on %s", (ids, expected) => {
  expect(gatewayEndpoint(ids.map((id) => ({ network_id: id })), networkOf)?.network_id).toBe(expected); // prettier-ignore
});
