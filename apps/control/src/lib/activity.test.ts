import { describe, expect, test } from "vitest";
import { activityDetail, activityHref, activityObject, activityObjectId } from "./activity.ts";

describe("activityHref", () => {
  test.each([
    ["container.create", { kind: "container", name: "local/web" }, "/containers/local/web"],
    ["container.remove", { kind: "container", name: "local/web" }, null],
    ["container.create", { kind: "container", name: "web" }, null],
    ["host.rename", { kind: "host", name: "web 1" }, "/hosts/web%201"],
    ["volume.change", { kind: "volume", name: "local/" }, null],
    ["image.change", { kind: "image", name: "local/team/api:1" }, "/images/local/team%2Fapi%3A1"],
    ["session.create", { kind: "user", name: "ada" }, null],
  ])("%s of %o", (action, object, href) => expect(activityHref(action, object)).toBe(href));
});

test("facts are told in one line, the message first", () => {
  expect(activityDetail({ image: "nginx", message: "port in use", tag: null, n: 2 })).toBe("port in use · image=nginx · n=2");
  expect(activityDetail(null)).toBe("");
});

test("long ids are cut, names are not", () => {
  expect(activityObject(`local/${"0123456789abcdef".repeat(4)}`)).toBe("local/0123456789ab");
  expect(activityObject("local/web")).toBe("local/web");
});

test("a container's row shows its short id beside its name, and not twice", () => {
  const id = "0123456789abcdef".repeat(4);
  expect(activityObjectId({ kind: "container", id, name: "local/web" })).toBe("0123456789ab");
  expect(activityObjectId({ kind: "container", id, name: `local/${id}` })).toBeNull();
  expect(activityObjectId({ kind: "container", id: "web", name: "local/web" })).toBeNull();
});
