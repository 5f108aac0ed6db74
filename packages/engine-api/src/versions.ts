/** A version of the Docker Engine API: [major, minor]. */
export type EngineApiVersion = readonly [number, number];

/** The newest version that Flotilla speaks; what an unversioned path means. */
export const API_VERSION_MAX: EngineApiVersion = [1, 47];

/** The oldest version that Flotilla accepts. */
export const API_VERSION_MIN: EngineApiVersion = [1, 24];

/** `1.47` as a pair; undefined when the text is not two decimal numbers. */
export function parseApiVersion(text: string): EngineApiVersion | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

export function formatApiVersion(version: EngineApiVersion): string {
  return `${version[0]}.${version[1]}`;
}

/** Negative when `a` is older than `b`, 0 when equal, positive when newer. */
export function compareApiVersions(a: EngineApiVersion, b: EngineApiVersion): number {
  return a[0] === b[0] ? a[1] - b[1] : a[0] - b[0];
}

/** Whether `version` is 1.`minor` or newer: how behaviour is switched by version. */
export function isApiAtLeast(version: EngineApiVersion, minor: number): boolean {
  return compareApiVersions(version, [1, minor]) >= 0;
}
