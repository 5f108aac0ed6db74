import { describe, expect, test } from "vitest";
import { applyChanges } from "./index.ts";

describe("applyChanges", () => {
  test("instructions apply in order and see the environment before them", () => {
    expect(
      applyChanges({ Env: ["A=1", "B=2"], Cmd: ["old"] }, [
        "ENV A=x C=$B",
        "WORKDIR /d\nWORKDIR $C",
        'ENTRYPOINT ["e"]',
        "EXPOSE 80 81/udp",
        "LABEL l=$A",
      ]),
    ).toEqual({
      Env: ["A=x", "B=2", "C=2"],
      WorkingDir: "/d/2",
      Entrypoint: ["e"],
      Cmd: null,
      ExposedPorts: { "80/tcp": {}, "81/udp": {} },
      Labels: { l: "x" },
    });
  });

  test.each([
    ["FROM x", "from is not a valid change command"],
    ["NOPE", "unknown instruction: NOPE"],
    ["VOLUME", "VOLUME requires at least one argument"],
    ["EXPOSE 99999", "Invalid containerPort: 99999"],
  ])("%s is refused", (change, message) => expect(() => applyChanges({}, [change])).toThrow(message));

  test("the configuration given stays as it was", () => {
    const config = { Env: ["A=1"] };
    applyChanges(config, ["ENV A=2"]);
    expect(config).toEqual({ Env: ["A=1"] });
  });
});
