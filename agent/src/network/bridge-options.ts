// `docker network create -o …` for bridges. Pure.
import { FlotillaError } from "@flotilla/core";

const PREFIX = "com.docker.network.";
const MTU = `${PREFIX}driver.mtu`;
const ICC = `${PREFIX}bridge.enable_icc`;
const MASQUERADE = `${PREFIX}bridge.enable_ip_masquerade`;
/** RFC 791's smallest, and the largest that a veth takes. */
const MTU_RANGE = { min: 68, max: 65_535 } as const;

/** Go's strconv.ParseBool. */
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

export type BridgeOptions = {
  /** undefined: as large as the way out allows. */
  mtuBytes: number | undefined;
  /** Whether its containers reach each other, but for what they publish. */
  hasIcc: boolean;
  /** Whether what leaves has the host's address; otherwise somebody outside must know the way back. */
  masquerades: boolean;
};

/** Of a network that exists: what is wrong with its options was said when it was made, or is older than the rule. */
export function readBridgeOptions(options: Readonly<Record<string, string>>): BridgeOptions {
  const mtu = Number(options[MTU]);
  const isMtu = Number.isInteger(mtu) && mtu >= MTU_RANGE.min && mtu <= MTU_RANGE.max;
  const isOff = (key: string): boolean => FALSE.includes(options[key] ?? "");
  return { mtuBytes: isMtu ? mtu : undefined, hasIcc: !isOff(ICC), masquerades: !isOff(MASQUERADE) };
}

/** @throws FlotillaError `invalid` for a bad value, `not_implemented` for an option of Docker's that would not be obeyed. */
export function checkBridgeOptions(options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) {
    if (key === `${PREFIX}bridge.name`)
      throw new FlotillaError(
        "not_implemented",
        `option ${key} is not supported: the engine names its bridges, by which it finds them again`,
      );
    if (key.startsWith(PREFIX) && ![MTU, ICC, MASQUERADE].includes(key))
      throw new FlotillaError("not_implemented", `option ${key} is not supported by this engine`);
  }
  checkMtu(options[MTU] ?? "");
  checkFlag(options, ICC);
  checkFlag(options, MASQUERADE);
}

function checkMtu(text: string): void {
  const bytes = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (text === "" || (bytes >= MTU_RANGE.min && bytes <= MTU_RANGE.max)) return;
  throw new FlotillaError("invalid", `invalid value for option ${MTU}: ${text} is not a number from ${MTU_RANGE.min} to ${MTU_RANGE.max}`);
}

function checkFlag(options: Readonly<Record<string, string>>, key: string): void {
  const text = options[key] ?? "";
  if (text === "" || TRUE.includes(text) || FALSE.includes(text)) return;
  throw new FlotillaError("invalid", `invalid value for option ${key}: ${text} is neither true nor false`);
}
