/** What takes the place of a value that may be a secret. */
export const HIDDEN = "<hidden>";

/** Labels that tools find their containers by; values of others may be anything. */
const OPEN_LABELS = /^(com\.docker\.compose\.|org\.opencontainers\.image\.)/;

type Json = Readonly<Record<string, unknown>>;

/**
 * `docker inspect` of a container as it is shown to those who may see the container but not look inside
 * (`container.inspect`): names of variables and of labels stay, their values, arguments and the options of the log driver
 * are blacked out. Docker's clients need the route, so it is not refused. Fields that are not there stay away.
 */
export function redactInspect<T extends object>(inspect: T): T {
  const shown = { ...inspect } as Json;
  return {
    ...shown,
    ...(Array.isArray(shown["Args"]) ? { Args: hideWords(shown["Args"]) } : {}),
    ...(isObject(shown["Config"]) ? { Config: redactConfig(shown["Config"]) } : {}),
    ...(isObject(shown["HostConfig"]) ? { HostConfig: redactHostConfig(shown["HostConfig"]) } : {}),
    ...(isObject(shown["State"]) ? { State: redactState(shown["State"]) } : {}),
  } as T;
}

/** The same for a row of `docker ps`. */
export function redactSummary<T extends object>(row: T): T {
  const shown = { ...row } as Json;
  return {
    ...shown,
    ...("Command" in shown ? { Command: HIDDEN } : {}),
    ...(isObject(shown["Labels"]) ? { Labels: hideLabels(shown["Labels"]) } : {}),
  } as T;
}

/** The same for answers of the Docker API: one container, a list, or `docker system df`, whose `Containers` are such a list. */
export function redactAnswer(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map((row: unknown) => (isObject(row) ? redactSummary(row) : row));
  if (!isObject(answer)) return answer;
  if (Array.isArray(answer["Containers"])) return { ...answer, Containers: redactAnswer(answer["Containers"]) };
  return redactInspect(answer);
}

function redactConfig(config: Json): Json {
  const { Env: env, Labels: labels, Healthcheck: health } = config;
  const hidden = ["Cmd", "Entrypoint", "OnBuild", "Shell"].flatMap((key) => {
    const words = config[key];
    return Array.isArray(words) ? [[key, hideWords(words)]] : [];
  });
  return {
    ...config,
    ...Object.fromEntries(hidden),
    ...(Array.isArray(env) ? { Env: env.map((entry: unknown) => `${String(entry).split("=", 1)[0] ?? ""}=${HIDDEN}`) } : {}),
    ...(isObject(labels) ? { Labels: hideLabels(labels) } : {}),
    ...(isObject(health) && Array.isArray(health["Test"]) ? { Healthcheck: { ...health, Test: hideWords(health["Test"]) } } : {}),
  };
}

function redactHostConfig(config: Json): Json {
  const { LogConfig: log } = config;
  if (!isObject(log) || !isObject(log["Config"])) return config;
  return { ...config, LogConfig: { ...log, Config: hideValues(log["Config"]) } };
}

/** The output of health checks is a program's words. */
function redactState(state: Json): Json {
  const { Health: health } = state;
  if (!isObject(health) || !Array.isArray(health["Log"])) return state;
  const rows = health["Log"].map((row: unknown) => (isObject(row) ? { ...row, Output: HIDDEN } : row));
  return { ...state, Health: { ...health, Log: rows } };
}

function hideLabels(labels: Json): Json {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, OPEN_LABELS.test(name) ? value : HIDDEN]));
}

function hideValues(values: Json): Json {
  return Object.fromEntries(Object.keys(values).map((name) => [name, HIDDEN]));
}

function hideWords(words: readonly unknown[]): string[] {
  return words.length === 0 ? [] : [HIDDEN];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
