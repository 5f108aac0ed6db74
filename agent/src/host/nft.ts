// nftables transactions: libnftables in this process (0.13 ms each), or nft(8) as a child (16 ms) where it is missing.
// A text is one transaction: all of it happens, or none.
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";
import { withSignalsBlocked } from "./signal-mask.ts";
import { run } from "./run.ts";

/** Performs nft(8) text as one transaction and returns its output. @throws FlotillaError `internal` with nft's own words. */
export type Nft = {
  apply(text: string): Promise<string>;
  close(): void;
};

/** The soname of libnftables since 0.9; Debian 12 and every newer distribution has it. */
const LIBRARY = "libnftables.so.1";

/** libnftables when it can be loaded, else the nft program. */
export function openNft(): Nft {
  return openLibrary() ?? nftProgram;
}

/** nft(8) as a child for each transaction, in the network namespace of this process. */
export const nftProgram: Nft = {
  apply: async (text) => (await run({ argv: ["nft", "-f", "-"], stdin: text })).stdout,
  close: () => undefined,
};

function openLibrary(): Nft | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(LIBRARY);
  } catch {
    // Not on this machine: the program does the same, slower.
    return undefined;
  }
  const f = {
    create: library.func("void *nft_ctx_new(uint32_t flags)"),
    free: library.func("void nft_ctx_free(void *ctx)"),
    bufferOutput: library.func("int nft_ctx_buffer_output(void *ctx)"),
    bufferError: library.func("int nft_ctx_buffer_error(void *ctx)"),
    output: library.func("const char *nft_ctx_get_output_buffer(void *ctx)"),
    error: library.func("const char *nft_ctx_get_error_buffer(void *ctx)"),
    run: library.func("int nft_run_cmd_from_buffer(void *ctx, const char *text)"),
  } as const;
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
