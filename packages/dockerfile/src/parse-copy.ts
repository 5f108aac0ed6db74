import { FlotillaError } from "@flotilla/core";
import { parseJsonStrings } from "@flotilla/image";
import { parseHeredocWord, type Heredoc } from "./heredoc.ts";
import type { CopyBody } from "./instruction.ts";
import { words, type InstructionLine } from "./instruction-line.ts";
import { dockerfileError } from "./location.ts";

const CHECKSUM = /^sha256:[0-9a-f]{64}$/;

/** COPY and ADD. @throws FlotillaError `invalid`. */
export function parseCopy(kind: "copy" | "add", line: InstructionLine): CopyBody {
  const { flags } = line;
  const common = {
    chown: flags.string("chown"),
    chmod: flags.string("chmod"),
    isLink: flags.boolean("link"),
    exclude: flags.strings("exclude"),
  };
  const own =
    kind === "copy"
      ? { from: parseFromFlag(line), keepsParents: flags.boolean("parents"), checksum: undefined, keepsGitDir: false, unpack: undefined }
      : {
          from: undefined,
          keepsParents: false,
          checksum: parseChecksum(line),
          keepsGitDir: flags.boolean("keep-git-dir"),
          unpack: parseUnpack(line),
        };
  return { kind, ...parseArguments(line), ...common, ...own };
}

function parseArguments(line: InstructionLine): { sources: string[]; files: Heredoc[]; destination: string } {
  const args = parseJsonStrings(line.rest) ?? words(line.rest);
  const destination = args.at(-1);
  if (destination === undefined) throw new FlotillaError("invalid", `${line.keyword} requires at least two arguments`);
  if (args.length === 1) {
    const message = `${line.keyword} requires at least two arguments, but only one was provided. Destination could not be determined`;
    throw new FlotillaError("invalid", message);
  }
  if (line.line.heredocs.length > 0 && parseHeredocWord(destination) !== undefined) {
    throw new FlotillaError("invalid", `${line.keyword} cannot accept a heredoc as a destination`);
  }
  const isHeredoc = (word: string): boolean => line.line.heredocs.length > 0 && parseHeredocWord(word) !== undefined;
  return { sources: args.slice(0, -1).filter((word) => !isHeredoc(word)), files: line.line.heredocs, destination };
}

function parseFromFlag(line: InstructionLine): string | undefined {
  const from = line.flags.string("from");
  if (from?.includes("$") === true) {
    const message =
      "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround";
    throw dockerfileError(line.flags.positionOf("from") ?? line.at, message);
  }
  return from;
}

function parseChecksum(line: InstructionLine): string | undefined {
  const checksum = line.flags.string("checksum");
  if (checksum === undefined || checksum.includes("$") || CHECKSUM.test(checksum)) return checksum;
  throw dockerfileError(line.flags.positionOf("checksum") ?? line.at, `invalid checksum digest format: ${checksum}`);
}

function parseUnpack(line: InstructionLine): boolean | undefined {
  const isUnpacked = line.flags.boolean("unpack");
  return line.flags.positionOf("unpack") === undefined ? undefined : isUnpacked;
}
