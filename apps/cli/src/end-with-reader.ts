/** What a shell tells of a program that SIGPIPE (13) ended. */
const READER_GONE = 128 + 13;

type Output = { on(event: "error", listener: (error: Error & { code?: string }) => void): unknown };

/**
 * Whoever reads what the program prints has gone (`flotilla compose logs | head -1`): the program ends without a word, as others do.
 * Without this Node would print the error of the write and a stack.
 */
export function endWithReader(
  outputs: readonly Output[] = [process.stdout, process.stderr],
  exit: (code: number) => void = (code) => process.exit(code),
): void {
  for (const output of outputs) {
    output.on("error", (error) => {
      if (error.code !== "EPIPE") throw error;
      exit(READER_GONE);
    });
  }
}
