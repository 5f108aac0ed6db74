import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
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
    await compare({
      name: "docker build, 12 steps, all cached",
      target: "≤ 0.3",
      rounds: engines.rounds,
      run: (host) => docker(host, context),
    }),
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
