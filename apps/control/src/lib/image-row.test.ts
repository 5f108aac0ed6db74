import { expect, test } from "vitest";
import { containersHref, imageLabel, lastUsedOrder, layerRows } from "./image-row.ts";

test("an image without tags is called by its id", () => {
  expect(imageLabel({ Id: "sha256:0123456789abcdef", RepoTags: ["<none>:<none>"] })).toBe("0123456789ab");
  expect(imageLabel({ Id: "sha256:0123456789abcdef", RepoTags: ["web:1"] })).toBe("web:1");
});

test("instructions read as in the Dockerfile, with their share of the image", () => {
  expect(
    layerRows([
      { CreatedBy: '/bin/sh -c #(nop)  CMD ["nginx"]', Size: 0 },
      { CreatedBy: "RUN /bin/sh -c apt-get update # buildkit", Size: 75 },
      { CreatedBy: "/bin/sh -c make", Size: 25 },
      { CreatedBy: "COPY . /app # buildkit", Size: 0 },
    ]),
  ).toEqual([
    { instruction: 'CMD ["nginx"]', bytes: 0, sharePercent: 0, isEmpty: true, historyIndex: 3 },
    { instruction: "RUN apt-get update", bytes: 75, sharePercent: 75, isEmpty: false, historyIndex: 2 },
    { instruction: "RUN make", bytes: 25, sharePercent: 25, isEmpty: false, historyIndex: 1 },
    { instruction: "COPY . /app", bytes: 0, sharePercent: 0, isEmpty: true, historyIndex: 0 },
  ]);
});

test("the containers of an image are found on its host by its id", () => {
  expect(containersHref({ Id: "sha256:0123456789abcdef", host: { id: "1", name: "web 1" } })).toBe(
    "/containers?host=web%201&q=0123456789ab",
  );
});

test("what was never used sorts before what nobody knows of, and that before what was used", () => {
  const used = { lastUsedAt: "2026-01-01T00:00:00.000Z", isNeverUsed: false };
  const unknown = { lastUsedAt: null, isNeverUsed: false };
  const never = { lastUsedAt: null, isNeverUsed: true };
  expect([used, unknown, never].toSorted((a, b) => lastUsedOrder(a) - lastUsedOrder(b))).toEqual([never, unknown, used]);
});
