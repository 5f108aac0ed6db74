import type { RunConfig } from "@flotilla/image";
import { expect, test } from "vitest";
import { enterStage, evaluate, parseDockerfile, planBuild, type StageState } from "./index.ts";

const LINES = [
  "# escape=`",
  "ARG BASEV=1",
  "FROM scratch AS one",
  "ARG BASEV",
  "ARG A=da",
  "ARG B=${A}-x",
  "ENV e1=v1 e2=\"a b\" e3='$e1' e4=$e1 e5=x\\y e6=`$A",
  'ENV old  some "quoted" $A  rest',
  "ENV p=/usr/local/x.tar.gz u=${nope:-dflt} w=${A:+set} z=${e1:-no}",
  'LABEL l1=$B "l 2"="$e2" l3=${u}',
  "LABEL multi=a `",
  "   other=$BASEV",
  "EXPOSE 80 443/udp 8000-8002",
  'ENV ports="91 92/udp"',
  "EXPOSE $ports",
  "WORKDIR /a",
  "WORKDIR b/../c",
  "WORKDIR $e1",
  "VOLUME /v1 /v2",
  'VOLUME ["/v 3"]',
  "USER ${A}:g",
  "STOPSIGNAL SIG${none:-USR1}",
  "CMD old cmd",
  'SHELL ["/bin/x", "-y"]',
  'HEALTHCHECK --interval=5s --timeout=1m --retries=4 CMD ["a", "b"]',
  "ENTRYPOINT run $A",
  'CMD ["c", "$A"]',
  "ONBUILD LABEL trig=$e1",
  "MAINTAINER me",
  "FROM one",
  "ENV e1=again NEW=$e4",
  'ENTRYPOINT ["z"]',
  "",
];

/** What Debian's dockerd 20.10 made of these lines with `--build-arg A=given` and its classic builder. */
const RECORDED: readonly RunConfig[] = [
  {
    Env: [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "e1=v1",
      "e2=a b",
      "e3=$e1",
      "e4=",
      "e5=x\\y",
      "e6=$A",
      "old=some quoted given  rest",
      "p=/usr/local/x.tar.gz",
      "u=dflt",
      "w=set",
      "z=v1",
      "ports=91 92/udp",
    ],
    Labels: {
      l1: "given-x",
      "l 2": "a b",
      l3: "dflt",
      multi: "a",
      other: "1",
    },
    ExposedPorts: {
      "80/tcp": {},
      "443/udp": {},
      "8000/tcp": {},
      "8001/tcp": {},
      "8002/tcp": {},
      "91/tcp": {},
      "92/udp": {},
    },
    WorkingDir: "/a/c/v1",
    Volumes: {
      "/v1": {},
      "/v2": {},
      "/v 3": {},
    },
    User: "given:g",
    StopSignal: "SIGUSR1",
    Cmd: ["c", "$A"],
    Shell: ["/bin/x", "-y"],
    Healthcheck: {
      Interval: 5000000000,
      Timeout: 60000000000,
      Retries: 4,
      Test: ["CMD", "a", "b"],
    },
    Entrypoint: ["/bin/x", "-y", "run $A"],
    OnBuild: ["LABEL trig=$e1"],
  },
  {
    Env: [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "e1=again",
      "e2=a b",
      "e3=$e1",
      "e4=",
      "e5=x\\y",
      "e6=$A",
      "old=some quoted given  rest",
      "p=/usr/local/x.tar.gz",
      "u=dflt",
      "w=set",
      "z=v1",
      "ports=91 92/udp",
      "NEW=",
    ],
    Labels: {
      l1: "given-x",
      "l 2": "a b",
      l3: "dflt",
      multi: "a",
      other: "1",
      trig: "v1",
    },
    ExposedPorts: {
      "80/tcp": {},
      "443/udp": {},
      "8000/tcp": {},
      "8001/tcp": {},
      "8002/tcp": {},
      "91/tcp": {},
      "92/udp": {},
    },
    WorkingDir: "/a/c/v1",
    Volumes: {
      "/v1": {},
      "/v2": {},
      "/v 3": {},
    },
    User: "given:g",
    StopSignal: "SIGUSR1",
    Cmd: null,
    Shell: ["/bin/x", "-y"],
    Healthcheck: {
      Interval: 5000000000,
      Timeout: 60000000000,
      Retries: 4,
      Test: ["CMD", "a", "b"],
    },
    Entrypoint: ["z"],
  },
];

test("the configuration of every stage is the one that dockerd makes", () => {
  const dockerfile = parseDockerfile(LINES.join("\n"));
  const platform = { os: "linux", architecture: "amd64" };
  const buildArgs = new Map([["A", "given"]]);
  const graph = planBuild(dockerfile, { buildArgs, buildPlatform: platform, targetPlatform: platform });
  const context = { buildArgs, globalArgs: graph.globalArgs, escape: dockerfile.directives.escape };
  const states: StageState[] = [];
  for (const { base, stage } of graph.stages) {
    const below = base.kind === "stage" ? states[base.index] : undefined;
    const { state, triggers } = enterStage(below ?? { config: {} });
    states.push([...triggers, ...stage.instructions].reduce((before, instruction) => evaluate(instruction, before, context).state, state));
  }
  expect(states.map(({ config }) => config)).toEqual(RECORDED);
});
