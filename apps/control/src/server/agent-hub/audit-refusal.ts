import { toFlotillaError } from "@flotilla/core";
import type { HelloMessage } from "@flotilla/protocol";
import { type Actor, hostObject, type ObjectRef, recordAudit, type ServiceContext } from "@flotilla/services";

/** Records that an agent was turned away; a flood of equal ones once. Never throws. */
export async function auditRefusal(
  services: ServiceContext,
  code: string,
  { hello, address }: { hello: HelloMessage | undefined; address: string },
): Promise<void> {
  const actor: Actor = { kind: "anonymous", address };
  if (!services.refusals.admit(`link\0${address}\0${code}\0${hello?.subject ?? ""}`)) return;
  try {
    const host = hello?.purpose === "connect" ? await services.prisma.host.findUnique({ where: { id: hello.subject } }) : null;
    const object: ObjectRef =
      host === null ? { kind: "host", id: hello?.subject ?? "", name: hello?.name ?? "", teamId: null } : hostObject(host);
    const action = hello?.purpose === "join" ? "host.join" : "host.connect";
    await recordAudit(services.prisma, { actor, action, object, outcome: "refused", detail: { reason: code } });
  } catch (error) {
    services.logger.error("refused agent could not be audited", { code, error: toFlotillaError(error).message });
  }
}
