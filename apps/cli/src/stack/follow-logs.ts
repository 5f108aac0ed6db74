import { FlotillaError } from "@flotilla/core";
import { STDCOPY, StdcopyDecoder } from "@flotilla/engine-api";
import type { Credentials } from "../remote/credentials.ts";

export type LogSource = { label: string; host: string; containerId: string };
export type LogOptions = { follow: boolean; tail: string; timestamps: boolean };

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Prints the logs of several containers of several hosts as they come, each line with the name of its replica. */
export async function followLogs(credentials: Credentials, sources: readonly LogSource[], options: LogOptions): Promise<void> {
  const width = Math.max(...sources.map(({ label }) => label.length), 0);
  const isColoured = process.stdout.isTTY;
  await Promise.all(
    sources.map(async (source, index) => {
      const name = source.label.padEnd(width);
      const prefix = isColoured ? `\u001b[${COLOURS[index % COLOURS.length] ?? 36}m${name} |\u001b[0m ` : `${name} | `;
      await followOne(credentials, source, { options, print: (stream, line) => void process[stream].write(`${prefix}${line}\n`) });
    }),
  );
}

type Printer = { options: LogOptions; print: (stream: "stdout" | "stderr", line: string) => void };

async function followOne({ url, token }: Credentials, { host, containerId }: LogSource, { options, print }: Printer): Promise<void> {
  const query = new URLSearchParams({
    stdout: "1",
    stderr: "1",
    tail: options.tail,
    follow: options.follow ? "1" : "0",
    timestamps: options.timestamps ? "1" : "0",
  });
  const path = `${url}/docker/${encodeURIComponent(host)}/v1.47/containers/${containerId}/logs?${query.toString()}`;
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` }, redirect: "error" });
  if (!response.ok || response.body === null) throw new FlotillaError("unavailable", `the log on host ${host} answers ${response.status}`);
  const isMultiplexed = (response.headers.get("content-type") ?? "").includes("multiplexed");
  const decoder = new StdcopyDecoder();
  const rest = { stdout: "", stderr: "" };
  const add = (stream: "stdout" | "stderr", bytes: Uint8Array): void => {
    const lines = `${rest[stream]}${Buffer.from(bytes).toString("utf8")}`.split("\n");
    rest[stream] = lines.pop() ?? "";
    for (const line of lines) print(stream, line.replace(/\r$/, ""));
  };
  for await (const chunk of response.body) {
    if (!isMultiplexed) add("stdout", chunk);
    else for (const { stream, payload } of decoder.push(Buffer.from(chunk))) add(stream === STDCOPY.stderr ? "stderr" : "stdout", payload);
  }
  for (const stream of ["stdout", "stderr"] as const) if (rest[stream] !== "") print(stream, rest[stream]);
}
