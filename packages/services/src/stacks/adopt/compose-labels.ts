/** The labels by which every Compose knows its containers. */
export const COMPOSE_LABELS = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneoff: "com.docker.compose.oneoff",
  dependsOn: "com.docker.compose.depends_on",
} as const;
