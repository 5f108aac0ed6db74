import { describe, expect, test } from "vitest";
import { parseRun } from "./parse-run.ts";
import { tokenize } from "./tokenize.ts";

describe("tokenize", () => {
  test.each<[string, string[]]>([
    ["a  b\tc", ["a", "b", "c"]],
    ["'a b' \"c d\"", ["a b", "c d"]],
    ["a'b'\"c\"d", ["abcd"]],
    ["'' x", ["", "x"]],
    ["a\\ b", ["a b"]],
    ['"a\\"b\\$c\\d"', ['a"b$c\\d']],
    ["'$HOME;|'", ["$HOME;|"]],
    ["a \\\n  b", ["a", "b"]],
    ["a \\\r\n  b", ["a", "b"]],
    ["a # b c\nd", ["a", "d"]],
    ["a#b", ["a#b"]],
    ["cost$ 5$", ["cost$", "5$"]],
  ])("%j is %j", (line, words) => expect(tokenize(line)).toEqual(words));

  test.each(["a 'b", 'a "b', "a \\", "a $HOME", 'a "${X}"', "a $(id)", "a `id`", 'a "`id`"', "a | b", "a; b", "a && b", "a > b", "(a)"])(
    "%j is refused: a shell would make something else of it",
    (line) => expect(() => tokenize(line)).toThrow(),
  );
});

describe("parseRun", () => {
  test("a line as people write it", () => {
    const { spec, warnings } = parseRun(
      "docker run -d --name web -p 8080:80 -p 127.0.0.1:53:53/udp -v data:/data -v /etc/x:/x:ro -e A=1 --env='B=b c' --restart=on-failure:3 -m 512m --cpus 1.5 nginx:1 nginx -g 'daemon off;'",
    );
    expect(warnings).toEqual([]);
    expect(spec).toMatchObject({
      image: "nginx:1",
      name: "web",
      command: ["nginx", "-g", "daemon off;"],
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "b c" },
      ],
      ports: [
        { containerPort: 80, hostPort: 8080, protocol: "tcp" },
        { containerPort: 53, hostPort: 53, hostIp: "127.0.0.1", protocol: "udp" },
      ],
      mounts: [
        { kind: "volume", source: "data", target: "/data", readOnly: false },
        { kind: "bind", source: "/etc/x", target: "/x", readOnly: true },
      ],
      restart: { name: "on-failure", maximumRetryCount: 3 },
      memoryBytes: 512 * 1024 * 1024,
      cpus: 1.5,
    });
  });

  test("joined short flags, attached values and ranges", () => {
    const { spec } = parseRun("sudo docker container run -itp8000-8001:80-81 --rm busybox");
    expect(spec).toMatchObject({ interactive: true, tty: true, autoRemove: true });
    expect(spec.ports.map(({ hostPort, containerPort }) => [hostPort, containerPort])).toEqual([
      [8000, 80],
      [8001, 81],
    ]);
  });

  test("flags after the image belong to the command", () => {
    expect(parseRun("docker run busybox ls -l --name x").spec).toMatchObject({ command: ["ls", "-l", "--name", "x"] });
  });

  test("--mount, --device and --ulimit", () => {
    const { spec } = parseRun(
      "docker run --mount type=bind,src=/a,dst=/b,readonly --device /dev/fuse --ulimit nofile=10:20 --tmpfs /t:size=1m x",
    );
    expect(spec.mounts).toEqual([
      { kind: "bind", source: "/a", target: "/b", readOnly: true },
      { kind: "tmpfs", target: "/t", readOnly: false },
    ]);
    expect(spec.devices).toEqual([{ hostPath: "/dev/fuse", containerPath: "/dev/fuse", permissions: "rwm" }]);
    expect(spec.ulimits).toEqual([{ name: "nofile", soft: 10, hard: 20 }]);
  });

  test("what concerns only a terminal becomes a warning", () => {
    expect(parseRun("docker run -d -a stdout x").warnings).toEqual(["--attach is left out: a container started from here runs detached"]);
  });

  test.each<[string, RegExp]>([
    ["docker run", /names no image/],
    ["docker ps", /begins with docker run/],
    ["docker run --gpus all x", /--gpus/],
    ["docker run --__proto__ x y", /--__proto__/],
    ["docker run -Z x", /-Z/],
    ["docker run -p x y", /--publish: "x"/],
    ["docker run -p 1-3:1-2 y", /equal length/],
    ["docker run -p 70000:1 y", /between 1 and 65535/],
    ["docker run -v ./a:/b y", /absolute path of the host/],
    ["docker run -v a:b y", /absolute path in the container/],
    ["docker run -m lots y", /--memory: "lots"/],
    ["docker run -e HOME y", /--env: "HOME"/],
    ["docker run --restart sometimes y", /--restart/],
    ["docker run --name", /--name needs a value/],
    ["docker run --rm=maybe y", /--rm/],
    ["docker run --name 'a b' y", /name/],
  ])("%s is refused with the flag named", (line, message) => expect(() => parseRun(line)).toThrow(message));
});
