// Build checks that need nothing but the text; names and sentences are BuildKit's.
import type { Instruction, Stage } from "./instruction.ts";
import type { InstructionLine } from "./instruction-line.ts";
import type { Location } from "./location.ts";
import type { Warning, WarningRule } from "./warning.ts";

const RESERVED_NAMES = ["scratch", "context"];
const SECRET_NAME = /(?:^|_)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const PUBLIC_NAME = /(?:^|_)public(?:_|$)/i;

/** Checks of one line, whatever instruction it is. */
export function lintLine(parts: InstructionLine): Warning[] {
  const { location } = parts.line;
  const warnings: Warning[] = [];
  if (parts.line.hasEmptyContinuation) {
    warnings.push(warning("NoEmptyContinuation", `Empty continuation line found in: ${parts.line.text.trim()}`, location));
  }
  const isOneCase = parts.written === parts.keyword || parts.written === parts.keyword.toLowerCase();
  if (!isOneCase) {
    const message = `Command '${parts.written}' should be consistently cased`;
    warnings.push({ ...warning("ConsistentInstructionCasing", message, location), suggestion: parts.keyword });
  }
  const [, as] = parts.keyword === "FROM" ? (/\s(as)\s/i.exec(parts.rest) ?? []) : [];
  const isUpper = parts.written === parts.keyword;
  if (as !== undefined && as !== (isUpper ? "AS" : "as")) {
    warnings.push(warning("FromAsCasing", `'${as}' and '${parts.written}' keywords' casing do not match`, location));
  }
  const name = parts.keyword === "FROM" ? /\sas\s+(\S+)$/i.exec(parts.rest)?.[1] : undefined;
  if (name !== undefined && name !== name.toLowerCase()) {
    warnings.push(warning("StageNameCasing", `Stage name '${name}' should be lowercase`, location));
  }
  return warnings;
}

/** Checks of one instruction. */
export function lintInstruction(instruction: Instruction, parts: InstructionLine): Warning[] {
  const { location } = instruction;
  switch (instruction.kind) {
    case "maintainer": {
      const message = "Maintainer instruction is deprecated in favor of using label";
      return [
        {
          ...warning("MaintainerDeprecated", message, location),
          suggestion: `LABEL org.opencontainers.image.authors="${instruction.author}"`,
        },
      ];
    }
    case "cmd":
    case "entrypoint": {
      if (instruction.command.kind === "exec") return [];
      const message = `JSON arguments recommended for ${parts.keyword} to prevent unintended behavior related to OS signals`;
      return [warning("JSONArgsRecommended", message, location)];
    }
    case "env":
    case "label": {
      const secrets = instruction.kind === "env" ? instruction.pairs.map(({ name }) => name) : [];
      return [...lintSecrets("ENV", secrets, location), ...lintOldForm(instruction.pairs, parts)];
    }
    case "arg":
      return lintSecrets(
        "ARG",
        instruction.args.map(({ name }) => name),
        location,
      );
    case "add":
    case "copy":
    case "expose":
    case "healthcheck":
    case "onbuild":
    case "run":
    case "shell":
    case "stopsignal":
    case "user":
    case "volume":
    case "workdir":
      return [];
  }
}

/** Checks of the stages beside each other, and of what may stand only once in a stage. */
export function lintStages(stages: readonly Stage[]): Warning[] {
  const warnings: Warning[] = [];
  const names = new Set<string>();
  for (const { from, instructions } of stages) {
    if (from.name !== undefined && names.has(from.name)) {
      warnings.push(warning("DuplicateStageName", `Duplicate stage name "${from.name}", stage names should be unique`, from.location));
    }
    if (from.name !== undefined && RESERVED_NAMES.includes(from.name)) {
      const message = `Stage name should not use the same name as reserved stage "${from.name}"`;
      warnings.push(warning("ReservedStageName", message, from.location));
    }
    if (from.name !== undefined) names.add(from.name);
    warnings.push(...lintRepeated(instructions));
  }
  return warnings;
}

function lintRepeated(instructions: readonly Instruction[]): Warning[] {
  return (["cmd", "entrypoint", "healthcheck"] as const).flatMap((kind) => {
    const all = instructions.filter((instruction) => instruction.kind === kind);
    const message = `Multiple ${kind.toUpperCase()} instructions should not be used in the same stage because only the last one will be used`;
    return all.slice(0, -1).map(({ location }) => warning("MultipleInstructionsDisallowed", message, location));
  });
}

function lintSecrets(keyword: "ARG" | "ENV", names: readonly string[], location: Location): Warning[] {
  const secret = names.filter((name) => SECRET_NAME.test(name) && !PUBLIC_NAME.test(name));
  return secret.map((name) => {
    return warning("SecretsUsedInArgOrEnv", `Do not use ARG or ENV instructions for sensitive data (${keyword} "${name}")`, location);
  });
}

function lintOldForm(pairs: readonly { name: string }[], parts: InstructionLine): Warning[] {
  const [pair] = pairs;
  if (pair === undefined || parts.rest.startsWith(`${pair.name}=`)) return [];
  const message = `"${parts.keyword} key=value" should be used instead of legacy "${parts.keyword} key value" format`;
  return [warning("LegacyKeyValueFormat", message, parts.line.location)];
}

function warning(rule: WarningRule, message: string, location: Location): Warning {
  return { rule, message, location };
}
