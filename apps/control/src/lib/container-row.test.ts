import { describe, expect, test } from "vitest";
import { containerHref, containerName, type ContainerSummary, containerText, eligible, isInState } from "./container-row.ts";
import { filterRows } from "./filter-rows.ts";

const row = (name: string, State: string, { status: Status = "", host = "local" } = {}): ContainerSummary => ({
  Id: `${name}0123456789abcdef`,
  Names: [`/${name}`],
  Image: "nginx:1.27",
  State,
  Status,
  host: { id: host, name: host },
});

const ROWS = [
  row("web", "running", { status: "Up 2 hours (healthy)" }),
  row("api", "running", { status: "Up 2 hours (unhealthy)", host: "db-1" }),
  row("job", "exited", { status: "Exited (0) 1 hour ago" }),
  row("bad-job", "exited", { status: "Exited (1) 1 hour ago" }),
];
const names = (rows: ContainerSummary[]): string[] => rows.map(containerName);

describe("what the list of containers filters by", () => {
  const matching = (rows: ContainerSummary[], query: string): string[] => names([...filterRows(rows, query, containerText)]);
  test("every word of the text must occur", () => {
    expect(matching(ROWS, "nginx job")).toEqual(["job", "bad-job"]);
    expect(matching(ROWS, "db-1")).toEqual(["api"]);
  });
  test("an image's id finds its containers, whatever its name is", () => {
    expect(matching([{ ...ROWS[0]!, ImageID: "sha256:feed0123" }, ROWS[1]!], "feed01")).toEqual(["web"]);
  });
  test("what needs a look is what is unhealthy or failed", () => {
    expect(names(ROWS.filter((one) => isInState(one, "attention")))).toEqual(["api", "bad-job"]);
    expect(names(ROWS.filter((one) => isInState(one, "stopped")))).toEqual(["job", "bad-job"]);
  });
});

test("a container without a name is called by its short id", () => {
  expect(containerName({ Id: "0123456789abcdef", Names: [] })).toBe("0123456789ab");
});

test("addresses are encoded", () => {
  expect(containerHref({ ...row("a b", "running"), host: { id: "1", name: "h/1" } })).toBe("/containers/h%2F1/a%20b");
});

test("bulk actions go only to those they can work on", () => {
  expect(names(eligible(ROWS, "stop"))).toEqual(["web", "api"]);
  expect(names(eligible(ROWS, "start"))).toEqual(["job", "bad-job"]);
});
