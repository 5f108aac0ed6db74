import type { GuardAllow } from "@flotilla/protocol";
import type { OciSpec } from "../runtime/oci-spec.ts";
import type { Violation } from "./guard-facts.ts";

/** What the kernel keeps for each IPC namespace (ipc_namespaces(7)). */
const OF_IPC =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|msg_next_id|sem_next_id|shm_next_id|auto_msgmni)|fs\.mqueue\..+)$/;
const OF_NETWORK = /^net\..+$/;
const OF_UTS = /^kernel\.(domainname|hostname)$/;

/** Settings of the kernel that are not the container's own; in a namespace of the host none is. */
export function findSysctlViolations(spec: OciSpec, allow: GuardAllow): Violation[] {
  if (allow.privileged) return [];
  const isOwn = (type: string): boolean => spec.linux.namespaces.some((namespace) => namespace.type === type);
  const allowed = new Set(allow.sysctls.map(dotted));
  return Object.keys(spec.linux.sysctl ?? {})
    .filter((name) => {
      const plain = dotted(name);
      if (allowed.has(plain)) return false;
      if (OF_NETWORK.test(plain)) return !isOwn("network");
      if (OF_IPC.test(plain)) return !isOwn("ipc");
      return !(OF_UTS.test(plain) && isOwn("uts"));
    })
    .map((name): Violation => ({ rule: "sysctls", value: name, message: `the kernel setting ${name}` }));
}

/** sysctl(8) takes both separators. */
const dotted = (name: string): string => name.replaceAll("/", ".");
