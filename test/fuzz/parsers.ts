// Everything that reads what others wrote and touches nothing: it may refuse, in an error of ours, and nothing else.
import { duplexPair, Readable } from "node:stream";
import { loadProject } from "../../packages/compose/src/index.ts";
import { isFlotillaError } from "@flotilla/core";
import { parseDockerfile } from "../../packages/dockerfile/src/index.ts";
import { ContainerCreateBody, ContainerUpdateBody, ExecCreateBody, HostConfig, parseFilters, StdcopyDecoder } from "@flotilla/engine-api";
import { applyChanges, parseReference } from "@flotilla/image";
import {
  agentMessage,
  agentStateMessage,
  controlStateMessage,
  formatLine,
  guardState,
  makeResource,
  parseJoinToken,
  parseMessage,
  readLines,
} from "@flotilla/protocol";
import { ZodError } from "zod";
import { TarReader } from "../../agent/src/archive/tar/reader.ts";
import { planMountRequests } from "../../agent/src/engine/mount-requests.ts";
import { planPorts } from "../../agent/src/engine/port-specs.ts";
import { validateCreate } from "../../agent/src/engine/validate-create.ts";
import { serveTunnel } from "../../agent/src/link/serve-tunnel.ts";
import { parseSeccompProfile } from "../../agent/src/runtime/seccomp.ts";
import { parseRegistryRoute } from "../../apps/control/src/server/registry/parse-route.ts";
import { tinyTar } from "../support/tiny-tar.ts";
import type { Chaos } from "./chaos.ts";

/** One reader of foreign input, and how to feed it once. `weight`: how often beside the others. */
export type FuzzTarget = { name: string; weight: number; feed: (chaos: Chaos) => void | Promise<void> };

/** Rethrows what is not a refusal. */
export function expectRefusal(error: unknown): void {
  if (error instanceof ZodError || (isFlotillaError(error) && error.code !== "internal")) return;
  throw error;
}

const COMPOSE = `name: shop
services:
  web: &web
    image: "nginx:\${TAG:-1}"
    ports: ["8080:80", {target: 81, published: "9000-9010"}]
    environment: {A: 1, B: $HOME}
    depends_on: {db: {condition: service_healthy}}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 64m}}, update_config: {order: start-first}}
    healthcheck: {test: [CMD, "true"], interval: 1m30s}
    volumes: ["data:/data:ro", ./x:/x, {type: tmpfs, target: /t, tmpfs: {size: 1m}}]
    configs: [{source: c, target: /c, mode: 0440}]
  db:
    <<: *web
    ports: []
    depends_on: []
    profiles: [x]
    extends: {service: web}
networks: {default: {ipam: {config: [{subnet: 10.0.0.0/8}]}}, other: {driver: overlay, driver_opts: {encrypted: ""}}}
volumes: {data: {driver_opts: {type: tmpfs, device: tmpfs}}}
configs: {c: {content: hello}}
`;
const DOCKERFILE = `# syntax=docker/dockerfile:1
ARG BASE=busybox
FROM --platform=$BUILDPLATFORM \${BASE} AS build
ENV A=1 B="x y"
RUN --mount=type=cache,target=/c,id=x --mount=type=bind,from=build,source=/,target=/b echo "$A" && <<XEOF cat
text
XEOF
COPY --from=build --chown=1:1 --chmod=644 a b/ /d/
HEALTHCHECK --interval=1s CMD ["true"]
ONBUILD RUN x
EXPOSE 80/tcp 81-90
VOLUME ["/a", "/b"]
USER 1:1
WORKDIR /w
ENTRYPOINT ["/x"]
CMD y
`;
const CREATE = {
  Image: "busybox:1",
  Cmd: ["sh", "-c", "true"],
  Env: ["A=1", "B"],
  Labels: { a: "b" },
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/v": {} },
  Healthcheck: { Test: ["CMD", "true"], Interval: 1e9, Retries: 3 },
  StopSignal: "SIGTERM",
  HostConfig: {
    Binds: ["/a:/b:ro", "v:/c", "/d"],
    Mounts: [{ Type: "volume", Source: "x", Target: "/y", VolumeOptions: { Subpath: "a/b" } }],
    Tmpfs: { "/t": "size=1m,exec" },
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8000-8010" }] },
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
    CapAdd: ["NET_ADMIN"],
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }],
    DeviceCgroupRules: ["c 1:3 r"],
    SecurityOpt: ["no-new-privileges"],
    Sysctls: { "net.core.somaxconn": "1" },
    Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
    Memory: 64 << 20,
    NanoCpus: 1e9,
    ExtraHosts: ["a:1.2.3.4"],
  },
};
const RESOURCE = makeResource("guard/shop", { namespace: "shop", limits: { hostPorts: [[1, 2]] }, allow: { binds: ["/srv"] } });
const HASH = RESOURCE.revision;
const STATE_MESSAGES = [
  { type: "snapshot", generation: 3, hash: HASH, resources: [RESOURCE] },
  { type: "delta", from: 3, to: 4, hash: HASH, set: [RESOURCE], remove: ["guard/x"] },
  { type: "observed_snapshot", sequence: 1, resources: [RESOURCE] },
];
const HELLO = { type: "hello", versions: [1], key: "A".repeat(43), name: "web-1", facts: {} };
const SECCOMP = '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[]}]}';
const DIGEST = `sha256:${"0".repeat(64)}`;
const NAMES = [`registry.example.test:5000/team/app:v1@${DIGEST}`, "busybox", "a/b/c"];
const ROUTES = ["/v2/team/app/manifests/v1", "/v2/team/app/blobs/uploads/1", `/v2/team/app/blobs/${DIGEST}`, "/v2/_catalog"];

const A_TAR = tinyTar({ "a/b": "hello", c: "" });

/** Feeds a reader that answers at once. */
const reader = (name: string, weight: number, read: (chaos: Chaos) => unknown): FuzzTarget => ({
  name,
  weight,
  feed: (chaos) => {
    try {
      read(chaos);
    } catch (error) {
      expectRefusal(error);
    }
  },
});

export const PARSERS: readonly FuzzTarget[] = [
  { name: "compose", weight: 2, feed: feedCompose },
  { name: "state lines", weight: 3, feed: feedState },
  { name: "tunnel", weight: 1, feed: feedTunnel },
  reader("Dockerfile", 4, (chaos) => parseDockerfile(chaos.mutateText(DOCKERFILE, ["<<XEOF", "\\", "--mount=", "FROM ", "${A:-", "\n"]))),
  reader("create body", 6, readCreate),
  reader("update body", 2, (chaos) => ContainerUpdateBody.parse(chaos.mutateJson(CREATE.HostConfig))),
  reader("exec body", 1, (chaos) => ExecCreateBody.parse(chaos.mutateJson({ Cmd: ["x"], Tty: true, ConsoleSize: [1, 2] }))),
  reader("filters", 2, (chaos) => parseFilters(chaos.mutateText('{"label":["a=b"],"name":{"x":true}}'), ["label", "name"])),
  reader("image name", 4, (chaos) => parseReference(chaos.mutateText(chaos.pick(NAMES)))),
  reader("changes", 2, (chaos) => applyChanges({}, [chaos.mutateText('ENV A=1 B="x"'), chaos.mutateText('CMD ["a"]')])),
  reader("seccomp", 1, (chaos) => parseSeccompProfile(chaos.mutateText(SECCOMP))),
  reader("registry route", 4, (chaos) => parseRegistryRoute(chaos.mutateText(chaos.pick(ROUTES), ["%2f", "%2e", "/", "@"]))),
  reader("join token", 1, (chaos) => parseJoinToken(chaos.mutateText("flj_AAAA.BBBB"))),
  reader("handshake", 2, (chaos) => parseMessage(agentMessage, chaos.mutateBytes(Buffer.from(JSON.stringify(chaos.mutateJson(HELLO)))))),
  reader("guard rail", 1, (chaos) => guardState.parse(chaos.mutateJson(RESOURCE.body))),
  reader("tar", 4, (chaos) => readTar(chaos.mutateBytes(A_TAR))),
  reader("attach frames", 1, (chaos) => new StdcopyDecoder().push(chaos.bytes(chaos.int(64)))),
];

const COMPOSE_PIECES = ["*a", "&a ", "<<: ", "${", "- ", ": ", "  ", "!reset ", "[", "{", "\t", "include: [x]"];

async function feedCompose(chaos: Chaos): Promise<void> {
  const mutated = chaos.mutateText(COMPOSE, COMPOSE_PIECES);
  const request = { workingDir: "/p", files: ["/p/compose.yaml"], environment: {}, target: "host" } as const;
  try {
    await loadProject(request, { read: async (path) => (path === "/p/compose.yaml" ? mutated : undefined) });
  } catch (error) {
    expectRefusal(error);
  }
}

function readCreate(chaos: Chaos): void {
  const body = ContainerCreateBody.parse(chaos.mutateJson(CREATE));
  const hostConfig = body.HostConfig ?? HostConfig.parse({});
  validateCreate(body, hostConfig, { cpus: 2 });
  planMountRequests(body, hostConfig, []);
  planPorts(body, hostConfig);
}

async function feedState(chaos: Chaos): Promise<void> {
  const line = Buffer.from(formatLine(chaos.mutateJson(chaos.pick(STATE_MESSAGES))));
  const bytes = chaos.chance(0.5) ? chaos.mutateBytes(line) : line;
  const body = Readable.from([bytes.subarray(0, chaos.int(bytes.length)), bytes]);
  const schema = chaos.chance(0.5) ? controlStateMessage : agentStateMessage;
  try {
    for await (const message of readLines(body, { schema, maxBytes: 4_096 })) void message;
  } catch (error) {
    expectRefusal(error);
  }
}

function readTar(bytes: Buffer): void {
  let at = 0;
  const tar = new TarReader((target) => {
    const length = bytes.copy(target, 0, at, at + target.length);
    at += length;
    return length;
  }, 4_096);
  for (let entries = 0; entries < 1_000 && tar.next() !== undefined; entries += 1) tar.readContent(() => undefined);
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** SETTINGS, HEADERS, DATA, WINDOW_UPDATE, RST_STREAM, PING, HEADERS of another stream. */
const FRAMES: readonly Buffer[] = [
  "000000040000000000",
  "000003010500000001828684",
  "00000500010000000168656c6c6f",
  "00000408000000000000000001",
  "00000403000000000100000008",
  "0000080600000000000102030405060708",
  "0000030104000000038286 84".replace(" ", ""),
].map((hex) => Buffer.from(hex, "hex"));

/** Frames of HTTP/2 in any order and state, at the agent's end of the tunnel: the connection ends, the process does not. */
async function feedTunnel(chaos: Chaos): Promise<void> {
  const [client, server] = duplexPair();
  client.on("error", () => undefined);
  server.on("error", () => undefined);
  client.resume();
  const session = serveTunnel(server, {
    handleStream: (stream) => {
      stream.on("error", () => undefined);
      if (!stream.destroyed) stream.respond({ ":status": 200 }, { endStream: true });
    },
    sampleStats: () => ({}) as never,
    serveState: (stream) => stream.close(),
  });
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  const frames = Array.from({ length: 1 + chaos.int(8) }, () => chaos.pick(FRAMES)).map((frame) =>
    chaos.chance(0.5) ? chaos.mutateBytes(frame) : frame,
  );
  const sent = Buffer.concat([PREFACE, ...FRAMES.slice(0, 1), ...frames]);
  client.write(chaos.chance(0.2) ? chaos.mutateBytes(sent) : sent);
  await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  server.destroy();
  await closed;
}
