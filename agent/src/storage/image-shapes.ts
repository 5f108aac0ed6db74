// Answers of the image routes, as Docker shapes them (API 1.47).

export type ImageSummary = {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since the epoch. */
  Created: number;
  /** Bytes of all layers, shared ones included. */
  Size: number;
  /** Bytes of layers that other images of the namespace have too; -1 when not asked for. */
  SharedSize: number;
  Labels: Record<string, string> | null;
  /** How many containers, running or not, are made from it. */
  Containers: number;
};

export type ImageInspect = {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  DockerVersion: string;
  Author: string;
  Config: Record<string, unknown>;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  GraphDriver: { Name: "overlay2"; Data: Record<string, string> | null };
  RootFS: { Type: "layers"; Layers: string[] };
  Metadata: { LastTagTime: string };
};

export type HistoryItem = { Id: string; Created: number; CreatedBy: string; Tags: string[] | null; Size: number; Comment: string };

export type DeletedItem = { Untagged: string } | { Deleted: string };

export type PruneReport = { ImagesDeleted: DeletedItem[] | null; SpaceReclaimed: number };
