import { spawn } from "node:child_process";
import { FlotillaError } from "@flotilla/core";

export type ProgramUser = { uid: number; gid: number };
export type ProgramOptions = {
  argv: readonly [string, ...string[]];
  user?: ProgramUser | undefined;
  cwd?: string;
  /** Open file that becomes the standard input. */ stdinFd?: number;
};

const MAX_OUTPUT = 8_192;
export const PROGRAM_ENVIRONMENT: NodeJS.ProcessEnv = {
  NODE_ENV: "production",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
};

/** Runs one program to its end, without a shell. @throws internal with what it said. */
export function runProgram(options: ProgramOptions): Promise<string> {
  const [file, ...args] = options.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...options.user,
      cwd: options.cwd,
      env: PROGRAM_ENVIRONMENT,
      stdio: [options.stdinFd ?? "ignore", "pipe", "pipe"],
      shell: false,
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT) output += chunk.toString("utf8");
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", (error) => reject(new FlotillaError("internal", `run ${file}: ${error.message}`, { cause: error })));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new FlotillaError("internal", `${file} ended with ${code ?? signal ?? "nothing"}: ${output.trim().slice(-2000)}`));
    });
  });
}
