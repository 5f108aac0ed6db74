import type { ServerResponse } from "node:http";
import { sendProblem } from "./exchange.ts";
import { toProblem } from "./problem.ts";

/** Answers anything thrown as problem details; messages of unexpected errors stay inside. */
export function answerProblem(res: ServerResponse, error: unknown): void {
  sendProblem(res, toProblem(error));
}
