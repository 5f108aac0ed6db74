import { describe, expect, test } from "vitest";
import { dockerCommand } from "./docker-command.ts";
import { EMPTY_RUN_FORM, extrasOf, formToSpec, NO_EXTRAS, type RunForm, runFormSchema, specToForm } from "./run-form.ts";

const FULL: RunForm = {
  ...EMPTY_RUN_FORM,
  host: "local",
  image: "nginx:1.27",
  name: "web",
  command: `nginx -g 'daemon off;'`,
  ports: [
    { hostIp: "", hostPort: "8080", containerPort: "80", protocol: "tcp" },
    { hostIp: "127.0.0.1", hostPort: "", containerPort: "53", protocol: "udp" },
  ],
  env: [{ name: "A", value: "x y" }],
  mounts: [
    { kind: "volume", source: "data", target: "/data", readOnly: false },
    { kind: "bind", source: "/srv", target: "/srv", readOnly: true },
    { kind: "tmpfs", source: "", target: "/tmp", readOnly: false },
  ],
  restart: "on-failure",
  retries: "3",
  memory: "512m",
  cpus: "1.5",
  labels: [{ name: "team", value: "web" }],
  capAdd: "NET_ADMIN, SYS_TIME",
  init: true,
};

const problems = (form: RunForm): string[] =>
  (runFormSchema.safeParse(form).error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);

test("a filled form becomes a spec and comes back the same", () => {
  const spec = formToSpec(runFormSchema.parse(FULL), NO_EXTRAS);
  expect(spec).toMatchObject({
    memoryBytes: 536_870_912,
    cpus: 1.5,
    capAdd: ["NET_ADMIN", "SYS_TIME"],
    restart: { name: "on-failure", maximumRetryCount: 3 },
  });
  expect(specToForm(spec, "local")).toEqual({ ...FULL, capAdd: "NET_ADMIN SYS_TIME" });
});

test("empty fields are left to the image", () => {
  const spec = formToSpec({ ...EMPTY_RUN_FORM, host: "local", image: "busybox" }, NO_EXTRAS);
  expect(spec.command).toBeUndefined();
  expect(spec.memoryBytes).toBeUndefined();
  expect(spec.restart).toEqual({ name: "no", maximumRetryCount: undefined });
});

describe("what is refused", () => {
  const base = { ...EMPTY_RUN_FORM, host: "local", image: "busybox" };
  test.each<[string, RunForm, string]>([
    ["no image", { ...base, image: " " }, "image: image"],
    [
      "a port above 65535",
      { ...base, ports: [{ hostIp: "", hostPort: "", containerPort: "70000", protocol: "tcp" }] },
      "ports.0.containerPort: port",
    ],
    [
      "a relative bind source",
      { ...base, mounts: [{ kind: "bind", source: "srv", target: "/srv", readOnly: false }] },
      "mounts.0.source: absolute",
    ],
    ["an open quote", { ...base, command: "echo 'x" }, "command: quotes"],
    ["removal together with a restart policy", { ...base, autoRemove: true, restart: "always" }, "autoRemove: autoRemove"],
    ["a size that is none", { ...base, memory: "lots" }, "memory: size"],
    ["a name Docker refuses", { ...base, name: "-x" }, "name: name"],
  ])("%s", (_title, form, problem) => expect(problems(form)).toContain(problem));
});

describe("dockerCommand", () => {
  test("says the same as the form", () => {
    expect(dockerCommand(formToSpec(FULL, NO_EXTRAS))).toBe(
      "docker run -d --name web --init -p 8080:80 -p 127.0.0.1::53/udp -e 'A=x y' -v data:/data -v /srv:/srv:ro --tmpfs /tmp " +
        "--restart on-failure:3 --memory 512m --cpus 1.5 --cap-add NET_ADMIN --cap-add SYS_TIME --label team=web nginx:1.27 nginx -g 'daemon off;'",
    );
  });

  test("the words of a longer entrypoint follow the image", () => {
    const spec = formToSpec({ ...EMPTY_RUN_FORM, host: "h", image: "i", entrypoint: "sh -c", command: "'echo hi'" }, NO_EXTRAS);
    expect(dockerCommand(spec)).toBe("docker run -d --entrypoint sh i -c 'echo hi'");
  });
});

test("what the form has no field for is kept and shown", () => {
  const extras = {
    ...NO_EXTRAS,
    publishAll: true,
    dns: ["1.1.1.1"],
    ulimits: [{ name: "nofile", soft: 1, hard: 2 }],
    stopSignal: "SIGQUIT",
  };
  const spec = formToSpec({ ...EMPTY_RUN_FORM, host: "h", image: "i" }, extras);
  expect(extrasOf(spec)).toEqual({ ...extras, cpuShares: undefined, shmSizeBytes: undefined, stopTimeoutSeconds: undefined });
  expect(dockerCommand(spec)).toBe("docker run -d -P --dns 1.1.1.1 --ulimit nofile=1:2 --stop-signal SIGQUIT i");
});
