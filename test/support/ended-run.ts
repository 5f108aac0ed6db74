// Set-up of every test file: a run that was ended with Ctrl-C begins no further test, and files under way take away what they
// started. vitest's own end kills its workers, and with them what would have cleaned up.
import { existsSync } from "node:fs";
import { beforeEach } from "vitest";

const file = process.env["FLOTILLA_TEST_END_FILE"];
const isEnded = (): boolean => file !== undefined && existsSync(file);

if (isEnded()) {
  const error = new Error("the run was ended before this file");
  error.stack = error.message;
  throw error;
}
beforeEach((context) => {
  if (isEnded()) context.skip("the run was ended before this test");
});
