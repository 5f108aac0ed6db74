import { FlotillaError } from "@flotilla/core";
import type { Platform } from "@flotilla/image";

const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
  i386: { architecture: "386" },
};
const COMPONENT = /^[A-Za-z0-9_-]+$/;

/** `linux/arm64`, `linux/arm/v7`, `arm64`; names of machines are made Go's. @throws FlotillaError `invalid`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => COMPONENT.test(part))) {
    throw new FlotillaError(
      "invalid",
      `"${text}" is an invalid component of "${text}": platform specifier component must match "${COMPONENT.source}": invalid argument`,
    );
  }
  const [os = "linux", machine = "", variant] = parts.length === 1 ? ["linux", parts[0]] : parts;
  const known = ARCHITECTURES[machine.toLowerCase()] ?? { architecture: machine.toLowerCase() };
  // arm64 has only v8, which is not written.
  const given = known.architecture === "arm64" && variant === "v8" ? undefined : (variant ?? known.variant);
  return { os: os.toLowerCase(), architecture: known.architecture, ...(given === undefined ? {} : { variant: given }) };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant ?? ""].filter((part) => part !== "").join("/");
}
