"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Checkbox } from "@/components/ui/checkbox.tsx";
import { groupRights, type Right } from "@/lib/rights.ts";

export type RightsPickerProps = {
  /** What can be chosen. */
  rights: readonly Right[];
  chosen: readonly Right[];
  onChange: (rights: Right[]) => void;
};

/** Rights in groups, each with a box of its own and one for the whole group. */
export function RightsPicker({ rights, chosen, onChange }: RightsPickerProps): ReactNode {
  const t = useTranslations("rights");
  const set = (changed: readonly Right[], isOn: boolean): void => {
    const next = new Set(chosen);
    for (const right of changed)
      if (isOn) next.add(right);
      else next.delete(right);
    onChange(rights.filter((right) => next.has(right)));
  };
  return (
    <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
      {groupRights(rights).map(({ group, rights: members }) => {
        const count = members.filter((right) => chosen.includes(right)).length;
        return (
          <fieldset key={group} className="min-w-0">
            <legend className="mb-1.5 w-full border-b pb-1">
              <label className="flex cursor-pointer items-center gap-2 text-xs font-medium">
                <Checkbox
                  checked={count === members.length}
                  isIndeterminate={count > 0 && count < members.length}
                  onChange={(event) => set(members, event.target.checked)}
                />
                {t(`groups.${group}`)}
              </label>
            </legend>
            <div className="space-y-1">
              {members.map((right) => (
                <label key={right} className="flex cursor-pointer items-start gap-2 text-sm">
                  <Checkbox
                    className="mt-[3px]"
                    checked={chosen.includes(right)}
                    onChange={(event) => set([right], event.target.checked)}
                  />
                  <span className="min-w-0 break-words">{t(`names.${right}`)}</span>
                </label>
              ))}
            </div>
          </fieldset>
        );
      })}
    </div>
  );
}
