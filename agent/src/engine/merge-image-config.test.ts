import { ContainerConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { commandLine, mergeImageConfig } from "./merge-image-config.ts";

const image = {
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  Env: ["PATH=/image", "A=1"],
  User: "app",
  WorkingDir: "/srv",
  Labels: { a: "image", b: "image" },
  ExposedPorts: { "80": {} },
  Volumes: { "/data": {} },
  StopSignal: "SIGQUIT",
  Healthcheck: { Test: ["CMD", "check"], Interval: 5_000_000_000, Retries: 3 },
} as const;
const merge = (own: Record<string, unknown>) => mergeImageConfig(ContainerConfig.parse(own), structuredClone(image) as never);

test.each([
  [{}, ["/entry", "serve"]],
  [{ Cmd: ["other"] }, ["/entry", "other"]],
  [{ Entrypoint: ["/mine"] }, ["/mine"]],
  [{ Entrypoint: ["/mine"], Cmd: ["x"] }, ["/mine", "x"]],
  [{ Entrypoint: [""], Cmd: ["x"] }, ["x"]],
  [{ Entrypoint: [], Cmd: [] }, ["/entry", "serve"]],
])("%j runs %j", (own, words) => {
  const command = commandLine(merge(own));
  expect(command === undefined ? [] : [command.path, ...command.args]).toEqual(words);
});

test("without any command there is none", () => {
  expect(commandLine({ Entrypoint: null, Cmd: [] })).toBeUndefined();
});

test("what the container says wins, the rest is the image's", () => {
  const config = merge({
    Env: ["A=2", "B=3"],
    Labels: { a: "own" },
    ExposedPorts: { "443/tcp": {} },
    Volumes: { "/more": {} },
    WorkingDir: "/x/../y/",
  });
  expect(config.Env).toEqual(["A=2", "B=3", "PATH=/image"]);
  expect(config).toMatchObject({ User: "app", WorkingDir: "/y", StopSignal: "SIGQUIT", Labels: { a: "own", b: "image" } });
  expect(config.ExposedPorts).toEqual({ "80/tcp": {}, "443/tcp": {} });
  expect(config.Volumes).toEqual({ "/data": {}, "/more": {} });
});

test("a health check takes from the image what it leaves open", () => {
  expect(merge({ Healthcheck: { Retries: 1 } }).Healthcheck).toMatchObject({ Test: ["CMD", "check"], Interval: 5_000_000_000, Retries: 1 });
  expect(merge({ Healthcheck: { Test: ["NONE"] } }).Healthcheck?.Test).toEqual(["NONE"]);
});
