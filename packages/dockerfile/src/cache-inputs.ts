import type { Step } from "./step.ts";

/**
 * Everything in a step that decides its outcome, as text in a fixed order: the same for the same input, different for
 * different input. Its hash, together with the key of the layer below and, for COPY, ADD and mounts from elsewhere, the
 * content keys of what they read, is the step's cache key. Not in it: proxy variables, the history's wording, comments,
 * and secrets, whose content must not decide whether a layer is used again.
 */
export function cacheInputs(step: Step): string {
  return JSON.stringify(factsOf(step));
}

function factsOf(step: Step): readonly unknown[] {
  switch (step.kind) {
    case "config":
      // The change is in the configuration, which is compared as a whole.
      return [step.kind, step.createdBy];
    case "workdir":
      return [step.kind, step.path];
    case "run":
      return [
        step.kind,
        step.argv,
        [...step.env].sort(),
        step.user,
        step.workingDir,
        step.scripts.map(({ path, content }) => [path, content]),
        step.mounts.map((mount) => Object.entries(mount).sort(([a], [b]) => (a < b ? -1 : 1))),
        step.network,
        step.security,
      ];
    case "add":
    case "copy": {
      const { createdBy: _createdBy, from: _from, files, ...rest } = step;
      // `--from` names where files are; their content key says what they are.
      const facts = Object.entries(rest).filter(([, value]) => value !== undefined);
      return [step.kind, facts.sort(([a], [b]) => (a < b ? -1 : 1)), files.map(({ name, content }) => [name, content])];
    }
  }
}
