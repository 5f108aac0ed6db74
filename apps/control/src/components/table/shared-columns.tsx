import type { ReactNode } from "react";
import type { Column } from "@/components/table/columns.ts";
import { Link } from "@/components/ui/link.tsx";

/** On which host a row lies: in lists over all hosts. */
export function hostColumn<Row extends { host: { name: string } }>(header: string): Column<Row> {
  return {
    id: "host",
    header,
    width: "minmax(0,1fr)",
    hideBelow: "sm",
    sortBy: (row) => row.host.name,
    cell: (row) => <span className="block truncate text-muted">{row.host.name}</span>,
  };
}

/** The first of those that use a row, with a link, and how many more there are; a word where nobody does. */
export function UsersCell({ users, unused }: { users: readonly { name: string; href: string }[]; unused: string }): ReactNode {
  const [first] = users;
  if (first === undefined) return <span className="text-muted">{unused}</span>;
  return (
    <span className="flex min-w-0 items-center gap-1.5" title={users.map(({ name }) => name).join(", ")}>
      <Link href={first.href} className="truncate hover:underline">
        {first.name}
      </Link>
      {users.length > 1 ? <span className="text-xs text-muted">+{users.length - 1}</span> : null}
    </span>
  );
}
