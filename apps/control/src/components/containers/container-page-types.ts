import type { ContainerDetails } from "@/lib/inspect.ts";

/** What a tab of a container's page is given: the parsed answer, and the answer as it came. */
export type ContainerTabProps = { host: string; details: ContainerDetails; raw: unknown };
