/** A key that is there only when it has a value: what is left out is the image's or the engine's choice. */
export const optional = <T>(key: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [key]: value });
