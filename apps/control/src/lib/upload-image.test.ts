import { expect, test } from "vitest";
import { uploadUrl } from "./upload-image.ts";

test("an archive is only sent to its host", () => {
  expect(uploadUrl({ host: "web 1" })).toBe("/api/upload/image?host=web+1");
});

test("a root file system takes its name and its instructions along", () => {
  expect(uploadUrl({ host: "local", import: { repo: "team/web", tag: "1", changes: ['CMD ["nginx"]', "EXPOSE 80"] } })).toBe(
    "/api/upload/image?host=local&repo=team%2Fweb&tag=1&change=CMD+%5B%22nginx%22%5D&change=EXPOSE+80",
  );
});
