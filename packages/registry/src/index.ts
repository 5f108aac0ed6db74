export { downloadBlob, fetchBlob, streamBlob, type BlobDownload } from "./download-blob.ts";
export { digestOf } from "./digest-of.ts";
export { listRepositories } from "./list-repositories.ts";
export { listTags } from "./list-tags.ts";
export { fetchManifest, findManifest, putManifest, resolveImage, type FetchedManifest, type ResolvedImage } from "./manifests.ts";
export {
  credentialsSchema,
  hasCredentials,
  parseRegistryAuth,
  type Credentials,
  type Limits,
  type RegistryClientOptions,
  type RegistrySettings,
} from "./options.ts";
export { PartialBlob, partialPaths, type PartialBlobOptions } from "./partial-blob.ts";
export type { PullProgress, PushProgress } from "./progress.ts";
export { isLoopbackHost, isPublicAddress } from "./public-address.ts";
export { pushBlob, type BlobUpload } from "./push-blob.ts";
export { pushImage, type ImagePush } from "./push-image.ts";
export { OpenRepository, RegistryClient, type RepositoryQuery } from "./registry-client.ts";
export type { Repository } from "./repository.ts";
export { selectPlatform } from "./select-platform.ts";
export { isCancelled } from "./session.ts";
