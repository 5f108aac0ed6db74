import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { docker, type CommandResult } from "../support/docker.ts";
import type { PeerCase, PeerStep } from "./peer-case.ts";

/** What an engine did with one step: its lines, or those of the step's words that it said. */
export type Outcome = { exitCode: number; output: string[] };

/** test/peer/outcomes.json: the outcomes of each case's steps, by the name of the case. */
export type Outcomes = { peer: string; cases: Record<string, Outcome[]> };

/**
 * Does the steps of a case on an engine, one after the other, also after one that fails, and removes what they made.
 * @param host address of the engine, as in DOCKER_HOST.
 */
export async function runCase(host: string, peerCase: PeerCase): Promise<Outcome[]> {
  const dir = mkdtempSync(join(tmpdir(), "flotilla-peer-"));
  const slug = peerCase.name.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase();
  const names = { "{dir}": dir, "{image}": `peer-image-${slug}`, "{box}": `peer-box-${slug}`, "{volume}": `peer-volume-${slug}` };
  try {
    for (const [name, content] of Object.entries(peerCase.files ?? {})) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), content);
    }
    const outcomes: Outcome[] = [];
    for (const step of peerCase.steps) outcomes.push(await runStep(host, step, names));
    return outcomes;
  } finally {
    await docker(host, ["rm", "-f", "-v", names["{box}"]]);
    await docker(host, ["rmi", "-f", names["{image}"]]);
    await docker(host, ["volume", "rm", "-f", names["{volume}"]]);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runStep(host: string, step: PeerStep, names: Readonly<Record<string, string>>): Promise<Outcome> {
  const named = (word: string): string => Object.entries(names).reduce((text, [from, to]) => text.replaceAll(from, to), word);
  const argv = step.argv.map(named);
  const result = await docker(host, argv, {
    env: { DOCKER_BUILDKIT: "0" },
    ...(step.input === undefined ? {} : { input: named(step.input) }),
  });
  return { exitCode: result.exitCode, output: outputOf(step, result, names) };
}

function outputOf(step: PeerStep, result: CommandResult, names: Readonly<Record<string, string>>): string[] {
  if (step.words !== undefined) return wordsOf(result, step.words);
  const lines = linesOf(result.stdout, names);
  return step.isUnordered === true ? lines.sort() : lines;
}

function wordsOf(result: CommandResult, words: readonly string[]): string[] {
  const text = `${result.stdout}${result.stderr}`.toLowerCase();
  return words.filter((word) => text.includes(word.toLowerCase()));
}

/** Without what differs from run to run: identifiers, paths and generated names. */
function linesOf(stdout: string, names: Readonly<Record<string, string>>): string[] {
  let text = stdout;
  for (const [placeholder, name] of Object.entries(names)) text = text.replaceAll(name, placeholder);
  return text
    .replaceAll(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, "ID")
    .replaceAll(/\b(file|dir|multi):[0-9a-f]+/g, "$1:ID")
    .replaceAll(/^(Sending build context to Docker daemon).*$/gm, "$1")
    .split("\n")
    .map((line) => line.split("\r").at(-1)?.trimEnd() ?? "")
    .filter((line) => line !== "");
}
