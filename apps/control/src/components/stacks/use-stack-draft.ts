"use client";

import { useMutation } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { PlanBasis } from "@/lib/plan-basis.ts";
import { composeFiles, STACK_NAME, type StackFiles } from "@/lib/stack-files.ts";
import { errorCode, errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { StackIssue, StackPlan } from "@/trpc/types.ts";

const CHECK_AFTER_MS = 350;

export type StackDraft = {
  name: string;
  files: StackFiles;
  setName: (name: string) => void;
  setFiles: (files: StackFiles) => void;
  issues: readonly StackIssue[];
  plan: StackPlan | null;
  /** The plan that could not be applied any more: what it was made on, and what the server said. */
  stale: { basis: PlanBasis; message: string } | null;
  error: string | null;
  isPlanning: boolean;
  isApplying: boolean;
  canPlan: boolean;
  makePlan: () => void;
  apply: () => void;
};

/** Files being written, what is wrong with them, and the plan for them as long as they do not change. */
export function useStackDraft(initial: { name: string; files: StackFiles }, onDeployed: (name: string) => void): StackDraft {
  const trpc = useTRPC();
  const [name, setNameText] = useState(initial.name);
  const [files, setFileTexts] = useState<StackFiles>(initial.files);
  const [plan, setPlan] = useState<StackPlan | null>(null);
  const [stale, setStale] = useState<StackDraft["stale"]>(null);
  const issues = useIssues(name, files);
  const input = { name, files: { ...files }, compose: composeFiles(files) };
  const planning = useMutation(trpc.stacks.plan.mutationOptions({ onSuccess: setPlan, onError: () => setPlan(null) }));
  const deploying = useMutation(
    trpc.stacks.deploy.mutationOptions({
      onSuccess: () => onDeployed(name),
      onError: (error) => {
        if (errorCode(error) !== "CONFLICT" || plan === null) return;
        // What is there now is another thing than what the plan was made for: say what, and plan for what is there.
        setStale({ basis: plan.basis, message: errorMessage(error) });
        planning.mutate(input);
      },
    }),
  );
  const forget = (): void => {
    setPlan(null);
    setStale(null);
    planning.reset();
    deploying.reset();
  };
  const failed = planning.error ?? (stale === null ? deploying.error : null);
  return {
    name,
    files,
    setName: (text) => {
      setNameText(text);
      forget();
    },
    setFiles: (texts) => {
      setFileTexts(texts);
      forget();
    },
    issues,
    plan,
    stale,
    error: failed === null ? null : errorMessage(failed),
    isPlanning: planning.isPending,
    isApplying: deploying.isPending,
    canPlan: STACK_NAME.test(name) && Object.values(files).some((text) => text.trim() !== ""),
    makePlan: () => {
      setStale(null);
      deploying.reset();
      planning.mutate(input);
    },
    apply: () => {
      if (plan !== null) deploying.mutate({ ...input, basis: plan.basis });
    },
  };
}

/** The server's own word on what is written, a moment after the last key. */
function useIssues(name: string, files: StackFiles): readonly StackIssue[] {
  const client = useTRPCClient();
  const [issues, setIssues] = useState<readonly StackIssue[]>([]);
  const text = useMemo(() => JSON.stringify(files), [files]);
  const checkedName = STACK_NAME.test(name) ? name : "stack";
  useEffect(() => {
    const checked = JSON.parse(text) as Record<string, string>;
    if (Object.values(checked).every((each) => each.trim() === "")) {
      setIssues([]);
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      client.stacks.check.mutate({ name: checkedName, files: checked, compose: composeFiles(checked) }, { signal: stop.signal }).then(
        (found) => {
          if (!stop.signal.aborted) setIssues(found);
        },
        // The plan will say why; an editor that cannot ask has nothing to underline.
        () => undefined,
      );
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [client, text, checkedName]);
  return issues;
}
