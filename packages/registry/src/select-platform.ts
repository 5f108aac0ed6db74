import type { Descriptor, Platform } from "@flotilla/image";

/** Variants of ARM that a machine of a later one also runs, best first. */
const ARM_FALLBACKS: Readonly<Record<string, readonly string[]>> = {
  v8: ["v8", "v7", "v6", "v5"],
  v7: ["v7", "v6", "v5"],
  v6: ["v6", "v5"],
  v5: ["v5"],
};

/**
 * The manifest of an index that fits a platform best, or undefined. Entries of unknown platforms, such as attestations, are
 * never chosen; one without any platform is taken when nothing fits better.
 */
export function selectPlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const fits = (architecture: string, variant: string | undefined): Descriptor | undefined => {
    return manifests.find(({ platform }) => {
      if (platform === undefined || platform === null) return false;
      const isVariant = variant === undefined || normalVariant(platform) === variant;
      return platform.os === wanted.os && platform.architecture === architecture && isVariant;
    });
  };
  const variant = normalVariant(wanted);
  if (wanted.architecture === "arm") {
    for (const older of ARM_FALLBACKS[variant ?? "v7"] ?? [variant ?? "v7"]) {
      const found = fits("arm", older);
      if (found !== undefined) return found;
    }
    return manifests.find(({ platform }) => platform === undefined || platform === null);
  }
  const exact = fits(wanted.architecture, variant ?? "");
  const any = wanted.variant === undefined || wanted.variant === null ? fits(wanted.architecture, undefined) : undefined;
  return exact ?? any ?? manifests.find(({ platform }) => platform === undefined || platform === null);
}

/** The variant that is meant when none is written, or none where it says nothing. */
function normalVariant(platform: Platform): string | undefined {
  const variant = platform.variant ?? "";
  if (platform.architecture === "arm") return variant === "" ? "v7" : variant;
  return platform.architecture === "arm64" && variant === "v8" ? "" : variant;
}
