import type { ReactNode } from "react";
import { useTold } from "@/components/stacks/use-told.ts";
import { PartialNotice } from "@/components/ui/states.tsx";
import { cn } from "@/lib/cn.ts";
import type { StackIssue } from "@/trpc/types.ts";

type Shown = Omit<StackIssue, "severity">;

/** One thing that is told of a compose file, behind the place where it is written. */
export function IssueText({ issue, placeClass }: { issue: Shown; placeClass?: string }): ReactNode {
  const told = useTold();
  return (
    <>
      {issue.file === null ? null : (
        <span className={cn("font-mono", placeClass)}>
          {issue.file}:{issue.line}:{issue.column}{" "}
        </span>
      )}
      {told.issue(issue)}
    </>
  );
}

/** What the files of a stack say and no stack does. `notes`: the same as sentences, all that deployments of earlier versions have. */
export function StackNotes({ issues, notes }: { issues: readonly Shown[]; notes: readonly string[] }): ReactNode {
  if (issues.length === 0) return notes.map((note) => <PartialNotice key={note}>{note}</PartialNotice>);
  return issues.map((issue) => (
    <PartialNotice key={`${issue.file}:${issue.line}:${issue.column}:${issue.text}`}>
      <IssueText issue={issue} placeClass="text-xs" />
    </PartialNotice>
  ));
}
