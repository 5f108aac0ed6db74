import { FlotillaError } from "@flotilla/core";

/** A Linux signal: `name` with its SIG prefix ("SIGTERM", "SIGRTMIN+3"), `number` as kill(2) takes it. */
export type Signal = { name: string; number: number };

const NAMES: readonly string[] = [
  "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
  "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
]; // prettier-ignore
const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };
/** glibc keeps 32 and 33 for itself; Docker counts RTMIN from 34 too. */
const RTMIN = 34;
const RTMAX = 64;

export const SIGTERM: Signal = { name: "SIGTERM", number: 15 };
export const SIGKILL: Signal = { name: "SIGKILL", number: 9 };

/**
 * Reads a signal as Docker does: a number, or a name in any case with or without SIG, `RTMIN+n` and `RTMAX-n` included.
 * @throws invalid `invalid signal: X`, also for 0.
 */
export function parseSignal(text: string): Signal {
  const number = /^\d+$/.test(text) ? Number(text) : numberOfName(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number < 1 || number > RTMAX) throw new FlotillaError("invalid", `invalid signal: ${text}`);
  return { name: nameOf(number), number };
}

function numberOfName(name: string): number | undefined {
  const index = NAMES.indexOf(name);
  if (index >= 0) return index + 1;
  const alias = ALIASES[name];
  if (alias !== undefined) return alias;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime === null) return undefined;
  const [, base, sign, offset = "0"] = realTime;
  if (base === "MIN" && sign === "-") return undefined;
  if (base === "MAX" && sign === "+") return undefined;
  const number = base === "MIN" ? RTMIN + Number(offset) : RTMAX - Number(offset);
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}

function nameOf(number: number): string {
  const name = NAMES[number - 1];
  if (name !== undefined) return `SIG${name}`;
  return number < RTMIN ? `SIG${number}` : `SIGRTMIN+${number - RTMIN}`;
}
