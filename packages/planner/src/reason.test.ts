import { expect, test } from "vitest";
import { formatReason, reason, REASON_CODES } from "./reason.ts";

test.each<[Parameters<typeof formatReason>[0], string]>([
  [reason("none_there"), "there is none"],
  [reason("text", { text: "as somebody wrote it" }), "as somebody wrote it"],
  [reason("stalled", { seconds: 600, settled: 1, total: 3 }), "nothing went on for 10 min, with 1 of 3 replicas settled"],
  [reason("stalled", { seconds: 45, settled: 0, total: 1 }), "nothing went on for 45 s, with 0 of 1 replicas settled"],
  [{ ...reason("first_there"), parts: [reason("image_there")] }, "no other replica of the service there, image is there"],
  [
    {
      ...reason("hosts", { total: 3 }),
      parts: [reason("is_drained", { count: 1 }), reason("lacks_label", { label: "disk", value: "ssd", count: 2 })],
    },
    "3 hosts: 1 is drained, 2 lack label disk=ssd",
  ],
  [{ ...reason("this_host", { host: "h1" }), parts: [reason("is_down", { count: 1 })] }, "host h1 is down"],
  [
    {
      ...reason("unplaced", { count: 1, total: 2 }),
      parts: [{ ...reason("hosts", { total: 1 }), parts: [reason("is_full", { most: 1, count: 1 })] }],
    },
    "1 of 2 replicas have no host: 1 host: 1 has 1 replica, the most for one host",
  ],
  [reason("is_not_architecture", { value: "arm64", count: 2 }), "are not of architecture arm64"],
])("%j", (given, words) => expect(formatReason(given)).toBe(words));

test("every code has a sentence", () => {
  for (const code of REASON_CODES) expect(formatReason(reason(code, { text: "t", count: 1 })).length).toBeGreaterThan(0);
});
