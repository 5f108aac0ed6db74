import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStorage } from "./file-storage.ts";
import { describeBlobStorage } from "./storage-suite.ts";

describeBlobStorage("FileStorage", async () => {
  const dir = await mkdtemp(join(tmpdir(), "fls-"));
  const [storage, again] = [new FileStorage(dir), new FileStorage(dir)];
  const close = async (): Promise<void> => {
    await Promise.all([storage.close(), again.close()]);
    await rm(dir, { recursive: true, force: true });
  };
  return { storage, openAgain: () => again, close };
});
