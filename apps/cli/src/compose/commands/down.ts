import { dependencyOrder } from "@flotilla/compose";
import { FlotillaError, isFlotillaError, toFlotillaError } from "@flotilla/core";
import { ignoringAbsence, removeContainer } from "../apply/containers.ts";
import { findImage } from "../apply/find-image.ts";
import { segment } from "../engine/client.ts";
import { listContainers, listLabelled, toObserved } from "../engine/observe.ts";
import type { ObservedContainer } from "../plan/labels.ts";
import { isOn } from "../environment.ts";
import type { Session } from "../session.ts";

export type DownOptions = { volumes?: boolean; rmi?: string; removeOrphans?: boolean; timeout?: number };

/** Stops and removes what `up` made: containers, networks, with `-v` volumes, with `--rmi` images. What is gone already is no mistake. */
export async function down(session: Session, services: readonly string[], options: DownOptions): Promise<number> {
  const { name, loaded } = await session.findProject(services);
  const { engine, progress } = session;
  const observed = (await listContainers(engine, name)).map(toObserved);
  const known =
    loaded === undefined ? undefined : new Set([...Object.keys(loaded.project.services), ...Object.keys(loaded.disabledServices)]);
  const isOrphan = ({ service }: ObservedContainer): boolean => known !== undefined && !known.has(service);
  const removesOrphans = options.removeOrphans === true || isOn(session.environment, "COMPOSE_REMOVE_ORPHANS");
  const wanted = observed.filter((container) =>
    services.length === 0 ? !isOrphan(container) || removesOrphans : services.includes(container.service),
  );
  const context = { engine, progress, ...(loaded === undefined ? {} : { loaded }) };
  const how = { stops: true, volumes: options.volumes === true, timeoutSeconds: options.timeout };
  for (const group of inReverse(wanted, loaded?.project.services))
    await Promise.all(group.map((container) => removeContainer(context, container, how)));
  if (services.length === 0) await removeNetworks(session, name);
  if (options.volumes === true && services.length === 0) await removeVolumes(session, name);
  if (options.rmi !== undefined) await removeImages(session, { containers: wanted, project: loaded?.project, kind: options.rmi });
  session.progress.end();
  if (session.isJson) session.result("", { project: name, removed: wanted.map((container) => container.name) });
  return 0;
}

/** Groups that may go at once: those that depend on others before those others. */
function inReverse(
  containers: readonly ObservedContainer[],
  services: Parameters<typeof dependencyOrder>[0] | undefined,
): ObservedContainer[][] {
  const order = services === undefined ? [] : dependencyOrder(services).reverse();
  const depth = dependentDepth(order, services ?? {});
  const groups = new Map<number, ObservedContainer[]>();
  for (const container of containers) {
    const at = container.isOneOff ? 0 : (depth.get(container.service) ?? 0);
    groups.set(at, [...(groups.get(at) ?? []), container]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** How many steps of dependents stand before each service. */
function dependentDepth(reversed: readonly string[], services: Parameters<typeof dependencyOrder>[0]): Map<string, number> {
  const depth = new Map<string, number>();
  for (const name of reversed) {
    const own = depth.get(name) ?? 0;
    for (const other of Object.keys(services[name]?.dependsOn ?? {})) depth.set(other, Math.max(depth.get(other) ?? 0, own + 1));
  }
  return depth;
}

async function removeNetworks({ engine, progress }: Session, project: string): Promise<void> {
  await Promise.all(
    (await listLabelled(engine, "networks", project)).map(async (name) => {
      progress.set({ kind: "Network", name, status: "Removing" });
      try {
        await ignoringAbsence(() => engine.run({ method: "DELETE", path: `/networks/${segment(name)}` }));
        progress.set({ kind: "Network", name, status: "Removed" });
      } catch (error) {
        // Containers of others are in it: it stays, and so do they.
        if (!isFlotillaError(error, "forbidden") && !isFlotillaError(error, "conflict")) throw error;
        progress.set({ kind: "Network", name, status: "Resource is still in use" });
      }
    }),
  );
}

async function removeVolumes({ engine, progress }: Session, project: string): Promise<void> {
  await Promise.all(
    (await listLabelled(engine, "volumes", project)).map(async (name) => {
      progress.set({ kind: "Volume", name, status: "Removing" });
      try {
        await ignoringAbsence(() => engine.run({ method: "DELETE", path: `/volumes/${segment(name)}` }));
        progress.set({ kind: "Volume", name, status: "Removed" });
      } catch (error) {
        if (!isFlotillaError(error, "conflict")) throw error;
        progress.set({ kind: "Volume", name, status: "Resource is still in use" });
      }
    }),
  );
}

type Images = {
  containers: readonly ObservedContainer[];
  project: NonNullable<Awaited<ReturnType<Session["findProject"]>>["loaded"]>["project"] | undefined;
  kind: string;
};

/** `local`: those that the file builds and gives no name; `all`: every image of a service. */
async function removeImages({ engine, progress }: Session, { project, kind }: Images): Promise<void> {
  const services = Object.entries(project?.services ?? {});
  const wanted = services.filter(
    ([name, service]) => kind === "all" || (service.build !== undefined && service.image === `${project?.name ?? ""}-${name}`),
  );
  for (const image of new Set(wanted.map(([, service]) => service.image))) {
    try {
      if ((await findImage({ engine }, image)) === undefined) throw new FlotillaError("not_found", `No such image: ${image}`);
      await engine.run({ method: "DELETE", path: `/images/${image.split("/").map(segment).join("/")}` });
      progress.set({ kind: "Image", name: image, status: "Removed" });
    } catch (error) {
      const { code, message } = toFlotillaError(error);
      if (code !== "conflict" && code !== "not_found") throw error;
      progress.note(`image ${image}: ${message}`);
    }
  }
}
