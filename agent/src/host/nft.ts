// nftables transactions: libnftables in this process (0.13 ms each), or nft(8) as a child (16 ms) where it is missing.
// A text is one transaction: all of it happens, or none.
import { closeSync, openSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";
import { inNetns } from "./netns.ts";
import { withSignalsBlocked } from "./signal-mask.ts";
import { run } from "./run.ts";

/** Performs nft(8) text as one transaction and returns its output. @throws FlotillaError `internal` with nft's own words. */
export type Nft = {
  apply(text: string): Promise<string>;
  close(): void;
};

/** The soname of libnftables since 0.9; Debian 12 and every newer distribution has it. */
const LIBRARY = "libnftables.so.1";

/**
 * libnftables waits with select(2), which ends the process for a descriptor from 1024 on. Sockets take the lowest free
 * number, so a look at that tells.
 */
const MAX_DESCRIPTOR = 1_000;

/** libnftables when it can be used, else the nft program. Belongs to the network namespace that the thread is in now. */
export function openNft(): Nft {
  return hasLowDescriptor() ? (openLibrary() ?? nftProgram) : nftProgram;
}

/** The same for the namespace of the file `netnsPath`. */
export function openNftIn(netnsPath: string): Nft {
  const inside = inNetns(netnsPath, openNft);
  return inside === nftProgram ? nftProgramIn(netnsPath) : inside;
}

function hasLowDescriptor(): boolean {
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  return fd < MAX_DESCRIPTOR;
}

/** nft(8) as a child for each transaction, in the network namespace of this process. */
export const nftProgram: Nft = {
  apply: async (text) => (await run({ argv: ["nft", "-f", "-"], stdin: text })).stdout,
  close: () => undefined,
};

/** nft(8) in another network namespace. */
export const nftProgramIn = (netnsPath: string): Nft => ({
  apply: async (text) => (await run({ argv: ["nsenter", `--net=${netnsPath}`, "nft", "-f", "-"], stdin: text })).stdout,
  close: () => undefined,
});

type Functions = ReturnType<typeof bindFunctions>;
let bound: Functions | null | undefined;

/** Bound once: contexts come and go with the routers of networks. */
function findFunctions(): Functions | null {
  if (bound !== undefined) return bound;
  try {
    bound = bindFunctions(koffi.load(LIBRARY));
  } catch {
    // Not on this machine: the program does the same, slower.
    bound = null;
  }
  return bound;
}

function bindFunctions(library: ReturnType<typeof koffi.load>) {
  return {
    create: library.func("void *nft_ctx_new(uint32_t flags)"),
    free: library.func("void nft_ctx_free(void *ctx)"),
    bufferOutput: library.func("int nft_ctx_buffer_output(void *ctx)"),
    bufferError: library.func("int nft_ctx_buffer_error(void *ctx)"),
    output: library.func("const char *nft_ctx_get_output_buffer(void *ctx)"),
    error: library.func("const char *nft_ctx_get_error_buffer(void *ctx)"),
    run: library.func("int nft_run_cmd_from_buffer(void *ctx, const char *text)"),
  } as const;
}

function openLibrary(): Nft | undefined {
  const f = findFunctions();
  if (f === null) return undefined;
  let context: unknown = f.create(0);
  if (context === null || f.bufferOutput(context) !== 0 || f.bufferError(context) !== 0) return undefined;
  return {
    apply: async (text) => {
      if (context === undefined) throw new FlotillaError("internal", "nft: closed");
      // libnftables waits in select(2), which a signal (a child that ended) breaks off: the transaction would fail or, worse,
      // be done and said to have failed.
      const code = withSignalsBlocked(() => f.run(context, text) as number);
      const output = f.output(context) as string;
      const error = f.error(context) as string;
      if (code !== 0) throw new FlotillaError("internal", `nft: ${error.trim().slice(0, 2000)}`, { details: { text } });
      return output;
    },
    close: () => {
      if (context !== undefined) f.free(context);
      context = undefined;
    },
  };
}
