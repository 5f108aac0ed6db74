export { appRouter, type AppRouter, type RouterInputs, type RouterOutputs } from "./app-router.ts";
export type { ApiContext } from "./context.ts";
export { toTrpcError } from "./errors.ts";
export { createTrpcHttpHandler } from "./http-handler.ts";
export { attachTrpcSockets } from "./sockets.ts";
export { answerProblem } from "./rest/answer-problem.ts";
export { openApiDocument } from "./rest/openapi.ts";
export { createRestHandler } from "./rest/rest-handler.ts";
export { listProcedures } from "./list-procedures.ts";
export type {
  ActivityRow,
  CleanupRow,
  ContainerDetail,
  ContainerRow,
  HostDetail,
  HostRow,
  ImageHistoryEntry,
  ImageInspect,
  ImageRow,
  LiveEvent,
  LogLine,
  ManifestDetail,
  MemberRow,
  NetworkRow,
  Overview,
  RegistryUsage,
  RepositoryDetail,
  RepositoryRow,
  RetentionPlan,
  RetentionPolicy,
  RunSpec,
  RunSpecInput,
  StatsSample,
  TagRow,
  TokenRow,
  VolumeRow,
} from "@flotilla/services";
