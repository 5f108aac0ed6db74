import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Case, Engines, Row } from "./case.ts";
import { command, interleave, median } from "./measure.ts";

/** Twelve steps as a small application has them. */
const DOCKERFILE = `FROM busybox
ENV A=1 B=2
LABEL who=bench
WORKDIR /app
RUN echo one > one
COPY package.json ./
RUN mkdir -p node_modules && i=0; while [ $i -lt 200 ]; do echo $i > node_modules/$i; i=$((i+1)); done
COPY src ./src
RUN cat src/* > bundle
EXPOSE 80
COPY last.txt ./
CMD ["cat","bundle"]
`;
const MANY_FILES = 20_000;

/** What the docker command itself takes: a server that answers at once, whatever it is sent. No engine can be faster. */
async function startFloor(dir: string): Promise<{ host: string; close(): Promise<void> }> {
  const socket = join(dir, "floor.sock");
  const server = createServer((req, res) => {
    res.setHeader("api-version", "1.41");
    res.setHeader("ostype", "linux");
    req.resume().on("end", () => res.end(req.url?.includes("/build") === true ? `{"stream":"sha256:${"0".repeat(64)}\\n"}\r\n` : "OK"));
  });
  await once(server.listen(socket), "listening");
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { host: `unix://${socket}`, close };
}

/** Builds beside dockerd's classic builder, by the same command. */
export const build: Case = async (engines) => {
  const context = makeContext(engines);
  const many = makeManyFiles(engines);
  const docker = (host: string, ...args: string[]): Promise<unknown> =>
    command(["docker", "-H", host, "build", "-q", ...args], { DOCKER_BUILDKIT: "0" });
  const compare = async (what: {
    name: string;
    target: string;
    rounds: number;
    run(host: string, round: number): Promise<unknown>;
  }): Promise<Row> => {
    const { samples } = await interleave(what.name, what.rounds, [
      { name: "dockerd", run: async (round) => void (await what.run(engines.dockerd.host, round)) },
      { name: "flotilla", run: async (round) => void (await what.run(engines.flotilla.host, round)) },
    ]);
    const [flotilla, dockerd] = [median(samples["flotilla"] ?? []), median(samples["dockerd"] ?? [])];
    return { name: what.name, unit: "ms", flotilla, dockerd, ratio: flotilla / dockerd, target: what.target, samples };
  };
  return [
    await compare({
      name: "docker build, 12 steps, nothing cached",
      target: "≤ 0.6",
      rounds: Math.min(engines.rounds, 5),
      run: (host) => docker(host, "--no-cache", context),
    }),
    ...(await compareCached(engines, (host) => docker(host, context))),
    await compare({
      name: "docker build, another file in the last COPY",
      target: "≤ 0.4",
      rounds: engines.rounds,
      run: (host, round) => {
        // Each engine gets content that it has not seen.
        writeFileSync(join(context, "last.txt"), `${host} ${round} ${process.hrtime.bigint()}`);
        return docker(host, context);
      },
    }),
    await compare({
      name: `docker build, a context of ${MANY_FILES} files`,
      target: "≤ 0.7",
      rounds: 3,
      run: (host) => docker(host, "--no-cache", many),
    }),
  ];
};

/** All cached, beside the command alone: its start and the upload are in everybody's time. */
async function compareCached(engines: Engines, build: (host: string) => Promise<unknown>): Promise<Row[]> {
  const floor = await startFloor(engines.dir);
  try {
    const name = "docker build, 12 steps, all cached";
    const { samples } = await interleave(name, engines.rounds, [
      { name: "dockerd", run: async () => void (await build(engines.dockerd.host)) },
      { name: "flotilla", run: async () => void (await build(engines.flotilla.host)) },
      { name: "floor", run: async () => void (await build(floor.host)) },
    ]);
    const [flotilla, dockerd, alone] = ["flotilla", "dockerd", "floor"].map((one) => median(samples[one] ?? [])) as [
      number,
      number,
      number,
    ];
    const row = { unit: "ms", dockerd };
    return [
      { ...row, name, flotilla, ratio: flotilla / dockerd, target: "≤ 0.3", samples },
      { ...row, name: "the same by a server that answers at once", flotilla: alone, ratio: alone / dockerd, target: "the least there is" },
      {
        ...row,
        name: "the same, what the engine adds to it",
        flotilla: flotilla - alone,
        dockerd: dockerd - alone,
        ratio: (flotilla - alone) / (dockerd - alone),
        target: "≤ 0.3",
      },
    ];
  } finally {
    await floor.close();
  }
}

function makeContext({ dir }: Engines): string {
  const context = mkdtempSync(join(dir, "build-"));
  mkdirSync(join(context, "src"));
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  writeFileSync(join(context, "package.json"), "{}\n");
  writeFileSync(join(context, "last.txt"), "last\n");
  for (let at = 0; at < 50; at++) writeFileSync(join(context, "src", `${at}.js`), `export const value${at} = ${at};\n`.repeat(20));
  return context;
}

function makeManyFiles({ dir }: Engines): string {
  const context = mkdtempSync(join(dir, "build-many-"));
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nCOPY . /all\n");
  for (let group = 0; group < 100; group++) {
    mkdirSync(join(context, String(group)));
    for (let at = 0; at < MANY_FILES / 100; at++) writeFileSync(join(context, String(group), String(at)), `${group} ${at}\n`);
  }
  return context;
}
