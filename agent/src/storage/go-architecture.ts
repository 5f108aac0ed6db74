/** Go's (and so OCI's) name of a processor architecture. */
export function goArchitecture(arch: NodeJS.Architecture): string {
  if (arch === "x64") return "amd64";
  return arch === "ia32" ? "386" : arch;
}
