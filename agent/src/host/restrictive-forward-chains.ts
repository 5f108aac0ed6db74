import { z } from "zod";
import { run } from "./run.ts";

const Chain = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const ChainList = z.object({ nftables: z.array(z.object({ chain: Chain.optional() })) });

/**
 * Base chains on the forward hook whose policy is drop, as `family table chain`: what Docker, ufw and firewalld leave.
 * No accept of ours overrules them, so a machine's owner has to hear of it. Rules of legacy iptables are not seen.
 */
export async function restrictiveForwardChains(): Promise<string[]> {
  const { stdout } = await run({ argv: ["nft", "-j", "list", "chains"] });
  const { nftables } = ChainList.parse(JSON.parse(stdout));
  return nftables
    .flatMap(({ chain }) => (chain === undefined ? [] : [chain]))
    .filter((chain) => chain.hook === "forward" && chain.policy === "drop")
    .map((chain) => `${chain.family} ${chain.table} ${chain.name}`);
}
