import type { ImageConfig } from "@flotilla/image";
import type { ImageRunConfig } from "../engine/ports.ts";

/** The configuration that containers inherit, without the nulls and absent fields of the stored one. */
export function toRunConfig(image: Pick<ImageConfig, "config">): ImageRunConfig {
  return withoutEmpty({
    ...image.config,
    Healthcheck: image.config?.Healthcheck == null ? undefined : withoutEmpty(image.config.Healthcheck),
  });
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Drops members that are null or undefined. */
function withoutEmpty<T extends object>(value: T): Present<T> {
  const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(entries) as Present<T>;
}
