import type { Writable } from "node:stream";
import { isFlotillaError, type FlotillaError } from "@flotilla/core";
import { shortId } from "@flotilla/image";
import { writeTo } from "../api/write-to.ts";
import type { BuildEvent, BuildSink } from "./build-types.ts";

/** What Docker puts around what a step writes to its standard error. */
const RED = "\u001b[91m";
const RESET = "\u001b[0m";

/** A build's events as the lines of text that Docker's classic builder prints; several for one event come apart. */
export function classicLines(event: BuildEvent): string[] {
  switch (event.kind) {
    case "step":
      return [`Step ${event.number}/${event.total} : ${event.text}`, "\n"];
    case "triggers":
      return [`# Executing ${event.count} build ${event.count === 1 ? "trigger" : "triggers"}\n`];
    case "cached":
      return [" ---> Using cache\n"];
    case "running":
      return [` ---> Running in ${shortId(event.containerId)}\n`];
    case "removed":
      return [`Removing intermediate container ${shortId(event.containerId)}\n`];
    case "output":
      return [event.stream === "stderr" ? `${RED}${event.text}${RESET}` : event.text];
    case "stepped":
      return [` ---> ${event.imageId === undefined ? "" : shortId(event.imageId)}\n`];
    case "warning":
      return [`${event.text}\n`];
    case "built":
      return [`Successfully built ${shortId(event.imageId)}\n`];
    case "tagged":
      return [`Successfully tagged ${event.name}\n`];
    case "progress":
      return [];
  }
}

/** Writes a build's events as Docker's JSON messages. With `isQuiet` only the image's id comes, at the end. */
export function classicSink(sink: Writable, options: { isQuiet: boolean }): BuildSink {
  const send = async (message: unknown): Promise<void> => void (await writeTo(sink, jsonLine(message)));
  return async (event) => {
    if (event.kind === "built") {
      await send({ aux: { ID: event.imageId } });
      if (options.isQuiet) await send({ stream: `${event.imageId}\n` });
    }
    if (options.isQuiet) return;
    if (event.kind === "progress") await send(event.message);
    for (const stream of classicLines(event)) await send({ stream });
  };
}

/** The last message of a build that failed. */
export async function writeFailure(sink: Writable, error: FlotillaError): Promise<void> {
  const message = messageOf(error);
  const code = error.details["exitCode"];
  const { line, column } = error.details;
  const place = typeof line === "number" ? { line, column } : {};
  await writeTo(sink, jsonLine({ errorDetail: { ...(typeof code === "number" ? { code } : {}), message, ...place }, error: message }));
}

/** Docker says no place for a step that failed: it stands in the line `Step n/m` above. */
export function messageOf(error: FlotillaError): string {
  return isFlotillaError(error, "internal") && error.message === "" ? "the build failed" : error.message;
}

function jsonLine(message: unknown): string {
  return `${JSON.stringify(message)}\r\n`;
}
