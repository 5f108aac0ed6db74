import { describe, expect, test } from "vitest";
import { MAIN_PAGES } from "../components/shell/navigation.ts";
import { MAY_NOTHING, mayOf, rightLackedFor } from "./may.ts";
import type { Right } from "./rights.ts";

const LENT = { id: "host_1", name: "far", rights: ["container.read", "container.logs"] satisfies Right[] };

describe("mayOf", () => {
  const may = mayOf({ rights: ["container.read", "container.control"], lent: [LENT] });

  test("is what the role allows, on the team's own hosts and where no host is named", () => {
    expect([may("container.control"), may("container.control", "near"), may("container.logs"), may("container.logs", "near")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("is on a lent host what both allow, by its name and by its id", () => {
    for (const host of ["far", "host_1"]) {
      expect([may("container.read", host), may("container.control", host), may("container.logs", host)]).toEqual([true, false, false]);
    }
  });
});

describe("rightLackedFor", () => {
  const viewer = mayOf({ rights: ["container.read", "config.read", "stack.read"], lent: [] });

  test("names the right that a page needs, also for what lies below it", () => {
    expect(rightLackedFor("/run", viewer)).toBe("container.run");
    expect(rightLackedFor("/hosts/h1", viewer)).toBe("host.read");
  });

  test("lets in who has one of the rights, and everybody to pages of their own", () => {
    for (const path of ["/containers/h1/web", "/secrets", "/stacks", "/", "/settings", "/help", "/runner"])
      expect(rightLackedFor(path, viewer)).toBeUndefined();
  });

  test("does not take the beginning of a word for a page", () => {
    expect(rightLackedFor("/deployments", viewer)).toBeUndefined();
    expect(rightLackedFor("/deploy", viewer)).toBe("stack.deploy");
    expect(rightLackedFor("/deploy", mayOf({ rights: ["stack.deploy"], lent: [] }))).toBe("stack.inspect");
  });

  test("knows every page of the sidebar but the overview", () => {
    const open = MAIN_PAGES.filter(({ href }) => rightLackedFor(href, MAY_NOTHING) === undefined).map(({ id }) => id);
    expect(open).toEqual(["overview"]);
  });
});
