import type { Output } from "../output.ts";
import { adoptionPlan, deployed, outsideProjects } from "./answers.ts";
import { formatAdoption, formatTable } from "./show.ts";
import { ask, waitFor } from "./stack-actions.ts";

export type AdoptOptions = { host: string; plan: boolean; detach: boolean };

export async function listOutside(output: Output, options: { host?: string }): Promise<void> {
  const { items, errors } = await ask("query", "stacks.outside", { input: options, output: outsideProjects });
  for (const { host, message } of errors) output.note(`host ${host.name} did not answer: ${message}`);
  const rows = items.map(({ project, host, running, containers, services }) => [
    project,
    host.name,
    `${running}/${containers}`,
    services.map(({ name }) => name).join(", "),
  ]);
  output.result(formatTable(["PROJECT", "HOST", "RUNNING", "SERVICES"], rows), items);
}

/** Shows what would become of each container, then does just that, unless it is only to be shown. */
export async function adoptProject(output: Output, project: string, options: AdoptOptions): Promise<number> {
  const ref = { host: options.host, project };
  const plan = await ask("query", "stacks.adoptionPlan", { input: ref, output: adoptionPlan });
  if (options.plan) {
    output.result(formatAdoption(plan), plan);
    return 0;
  }
  if (!output.isJson) process.stdout.write(`${formatAdoption(plan)}\n`);
  const { deploymentId, revision } = await ask("mutation", "stacks.adopt", { input: { ...ref, basis: plan.basis }, output: deployed });
  output.note(`project ${project} is a stack now, with revision ${revision}`);
  if (!options.detach) return await waitFor(output, deploymentId);
  output.result(deploymentId, { deploymentId, revision });
  return 0;
}
