import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { type Browser, chromium } from "playwright-core";
import { createNetns, removeNetns } from "../../agent/src/host/netns.ts";
import { run } from "../../agent/src/host/run.ts";

/** As root, without a screen, and without anything that it would ask of other machines by itself. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Chromium in a network of its own, where 127.0.0.1:`port` leads to that of the machine and nothing else is. Among the machine's links,
 * which come and go with other tests, it breaks off what it is loading whenever an address does (ERR_NETWORK_CHANGED).
 */
export async function launchAlone(port: number): Promise<{ browser: Browser; close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "flc-"));
  const netns = join(directory, "net");
  const server = createServer((inner) => {
    const outer = connect(port, "127.0.0.1");
    pipeline(inner, outer, inner, () => outer.destroy());
  });
  // Without a host name, so that the socket is made at once and in that network.
  createNetns(netns, () => server.listen({ port, host: undefined }));
  try {
    await once(server, "listening");
    await run({ argv: ["nsenter", `--net=${netns}`, "ip", "link", "set", "lo", "up"] });
    const executablePath = join(directory, "chromium");
    writeFileSync(executablePath, `#!/bin/sh\nexec nsenter --net=${netns} /usr/bin/chromium "$@"\n`, { mode: 0o755 });
    const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
    const close = async (): Promise<void> => {
      await browser.close();
      leave();
    };
    return { browser, close };
  } catch (error) {
    leave();
    throw error;
  }

  function leave(): void {
    server.close();
    removeNetns(netns);
    rmSync(directory, { recursive: true, force: true });
  }
}
