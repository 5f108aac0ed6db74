import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStorage } from "./file-storage.ts";
import { describeBlobStorage } from "./storage-suite.ts";

describeBlobStorage("FileStorage", async () => {
  const dir = await mkdtemp(join(tmpdir(), "fls-"));
  return { storage: new FileStorage(dir), close: () => rm(dir, { recursive: true, force: true }) };
});
