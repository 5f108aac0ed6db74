import { expect, test } from "vitest";
import { resolveUser } from "./resolve-user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/srv/app:/bin/sh\n1234:x:77:77::/odd:\nbroken line\n";
const group = "root:x:0:\napp:x:1001:\nwheel:x:10:root,app\naudio:x:29:app\n";
const resolve = (user: string, groupAdd: string[] = []) => resolveUser({ user, groupAdd, passwd, group });

test.each([
  ["", { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root" }],
  ["app", { uid: 1000, gid: 1001, additionalGids: [1001, 10, 29], home: "/srv/app" }],
  ["1000", { uid: 1000, gid: 1001, additionalGids: [1001, 10, 29], home: "/srv/app" }],
  ["app:wheel", { uid: 1000, gid: 10, additionalGids: [10], home: "/srv/app" }],
  ["app:5", { uid: 1000, gid: 5, additionalGids: [5], home: "/srv/app" }],
  ["4321", { uid: 4321, gid: 0, additionalGids: [0], home: "/" }],
  ["4321:99", { uid: 4321, gid: 99, additionalGids: [99], home: "/" }],
  ["1234", { uid: 77, gid: 77, additionalGids: [77], home: "/odd" }],
])("%j is %j", (user, expected) => {
  expect(resolve(user)).toEqual(expected);
});

test("--group-add takes names and numbers, once each", () => {
  expect(resolve("app", ["audio", "5", "app"]).additionalGids).toEqual([1001, 10, 29, 5]);
});

test("without files only numbers are known", () => {
  expect(resolveUser({ user: "", groupAdd: [], passwd: "", group: "" })).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root" });
});

test.each([
  ["ghost", "unable to find user ghost: no matching entries in passwd file"],
  ["app:ghosts", "unable to find group ghosts: no matching entries in group file"],
  ["99999999999", "unable to find user 99999999999"],
  ["-1", "unable to find user -1"],
])("%j is refused", (user, message) => {
  expect(() => resolve(user)).toThrow(message);
});
