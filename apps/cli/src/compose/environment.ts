/** Of the command's options those that a variable may say too. */
type Chosen = { ansi?: string | undefined; progress?: string | undefined; envFile?: string[] | undefined };
type Environment = Readonly<Record<string, string | undefined>>;

const ANSI = ["never", "always", "auto"];
const PROGRESS = ["auto", "tty", "plain", "quiet"];

/** Whether one of Docker Compose's variables is set to yes. Pure. */
export const isOn = (environment: Environment, name: string): boolean =>
  ["1", "t", "true", "y", "yes", "on"].includes((environment[name] ?? "").toLowerCase());

/** What Docker Compose's variables say where the command line says nothing. Pure. */
export function withEnvironment<T extends Chosen>(options: T, environment: Environment): T {
  const chosen = (given: string | undefined, name: string, known: readonly string[]): string | undefined =>
    (given === undefined || given === "auto") && known.includes(environment[name] ?? "") ? environment[name] : given;
  const [ansi, progress] = [chosen(options.ansi, "COMPOSE_ANSI", ANSI), chosen(options.progress, "COMPOSE_PROGRESS", PROGRESS)];
  const envFile = options.envFile ?? envFilesOf(environment);
  return {
    ...options,
    ...(ansi === undefined ? {} : { ansi }),
    ...(progress === undefined ? {} : { progress }),
    ...(envFile === undefined ? {} : { envFile }),
  };
}

function envFilesOf(environment: Environment): string[] | undefined {
  const named = (environment["COMPOSE_ENV_FILES"] ?? "").split(",").filter((path) => path !== "");
  if (named.length > 0) return named;
  return isOn(environment, "COMPOSE_DISABLE_ENV_FILE") ? ["/dev/null"] : undefined;
}
