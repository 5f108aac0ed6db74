import type { RouterInputs, RouterOutputs } from "@flotilla/api";

export type Me = RouterOutputs["me"]["get"];
export type HostRow = RouterOutputs["hosts"]["list"][number];
export type HostDetails = RouterOutputs["hosts"]["get"];
export type ContainerRow = RouterOutputs["containers"]["list"]["items"][number];
export type ImageRow = RouterOutputs["images"]["list"]["items"][number];
export type VolumeRow = RouterOutputs["volumes"]["list"]["items"][number];
export type HostError = RouterOutputs["containers"]["list"]["errors"][number];
export type ActivityRow = RouterOutputs["activity"]["list"]["items"][number];
export type Overview = RouterOutputs["overview"]["get"];
export type ActionInput = RouterInputs["containers"]["action"];

/** A container, image or volume where it is: what most procedures take. */
export type ObjectRef = { host: string; id: string };
