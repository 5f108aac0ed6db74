import type { RouterOutputs } from "@flotilla/api";

export type Me = RouterOutputs["me"]["get"];
export type HostRow = RouterOutputs["hosts"]["list"][number];
export type HostDetails = RouterOutputs["hosts"]["get"];
export type ContainerRow = RouterOutputs["containers"]["list"]["items"][number];
export type ImageRow = RouterOutputs["images"]["list"]["items"][number];
export type LayerDetail = RouterOutputs["images"]["layers"]["layers"][number];
export type VolumeRow = RouterOutputs["volumes"]["list"]["items"][number];
export type ActivityRow = RouterOutputs["activity"]["list"]["items"][number];
export type RepositoryRow = RouterOutputs["registry"]["repositories"]["list"][number];
export type RepositoryDetail = RouterOutputs["registry"]["repositories"]["get"];
export type TagRow = RouterOutputs["registry"]["tags"]["list"][number];
export type ManifestDetail = RouterOutputs["registry"]["manifests"]["get"];
export type RetentionPolicy = RepositoryDetail["retention"];
export type UpstreamRow = RouterOutputs["registry"]["upstreams"]["list"][number];
export type RetentionPlan = RouterOutputs["registry"]["retention"]["preview"];
export type CleanupRow = NonNullable<RouterOutputs["registry"]["cleanup"]["status"]>;
export type Overview = RouterOutputs["overview"]["get"];
