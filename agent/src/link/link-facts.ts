import type { HostFacts } from "@flotilla/protocol";
import { readHostFacts } from "../system/host-facts.ts";

/** What the control plane is told of this machine. */
export function readLinkFacts(agentVersion: string): HostFacts {
  const facts = readHostFacts();
  return {
    agentVersion,
    hostname: facts.hostname.slice(0, 255),
    os: facts.operatingSystem.slice(0, 200),
    kernel: facts.kernelVersion.slice(0, 200),
    architecture: facts.architecture,
    cpus: facts.cpus,
    memoryBytes: facts.memoryBytes,
  };
}
