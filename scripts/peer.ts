// `npm run peer`: records what Debian's dockerd does with the cases of test/peer, for test/conformance/peer.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDockerd } from "../bench/dockerd.ts";
import { PEER_CASES } from "../test/peer/peer-cases.ts";
import { runCase, type Outcomes } from "../test/peer/run-case.ts";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { docker } from "../test/support/docker.ts";

const FILE = join(import.meta.dirname, "..", "test", "peer", "outcomes.json");

const dir = mkdtempSync(join(tmpdir(), "flotilla-peer-"));
const dockerd = await startDockerd(join(dir, "dockerd"));
try {
  const imported = await docker(dockerd.host, ["import", "--change", 'CMD ["sh"]', await makeBusyboxTar(dir), "busybox:latest"]);
  if (imported.exitCode !== 0) throw new Error(`docker import: ${imported.stderr}`);
  const outcomes: Outcomes = { peer: `dockerd ${dockerd.version}`, cases: {} };
  for (const peerCase of PEER_CASES) {
    console.log(`… ${peerCase.name}`);
    outcomes.cases[peerCase.name] = await runCase(dockerd.host, peerCase);
  }
  writeFileSync(FILE, `${JSON.stringify(outcomes, undefined, 2)}\n`);
  console.log(`${PEER_CASES.length} cases written to ${FILE}`);
} finally {
  await dockerd.close();
  rmSync(dir, { recursive: true, force: true });
}
