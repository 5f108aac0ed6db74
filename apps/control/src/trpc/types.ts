import type { RouterOutputs } from "@flotilla/api";

export type Me = RouterOutputs["me"]["get"];
export type HostRow = RouterOutputs["hosts"]["list"][number];
export type HostDetails = RouterOutputs["hosts"]["get"];
export type ContainerRow = RouterOutputs["containers"]["list"]["items"][number];
export type ImageRow = RouterOutputs["images"]["list"]["items"][number];
export type VolumeRow = RouterOutputs["volumes"]["list"]["items"][number];
export type ActivityRow = RouterOutputs["activity"]["list"]["items"][number];
export type Overview = RouterOutputs["overview"]["get"];
