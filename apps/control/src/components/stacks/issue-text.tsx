import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTold } from "@/components/stacks/use-told.ts";
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
  if (issues.length === 0 && notes.length === 0) return null;
  const lines =
    issues.length === 0
      ? notes.map((note) => <li key={note}>{note}</li>)
      : issues.map((issue) => (
          <li key={`${issue.file}:${issue.line}:${issue.column}:${issue.text}`}>
            <IssueText issue={issue} placeClass="text-xs" />
          </li>
        ));
  return (
    <div role="status" className="flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <ul className="min-w-0 space-y-1 break-words">{lines}</ul>
    </div>
  );
}
