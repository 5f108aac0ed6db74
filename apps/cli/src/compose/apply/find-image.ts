import { FlotillaError, isFlotillaError, isHexName } from "@flotilla/core";
import { z } from "zod";
import type { ApplyContext } from "./context.ts";

const ImageRow = z.object({
  Id: z.string(),
  Created: z.string().nullish(),
  RepoTags: z.array(z.string()).nullish(),
  Metadata: z.object({ LastTagTime: z.string().nullish() }).nullish(),
});
export type ImageRow = z.output<typeof ImageRow>;

/** An image of the engine by its name; undefined when it has none. One whose id merely begins like the name is another. */
export async function findImage({ engine }: Pick<ApplyContext, "engine">, image: string): Promise<ImageRow | undefined> {
  try {
    // A slash of a name is part of the path here, as Docker's clients send it.
    const found = await engine.json(ImageRow, {
      method: "GET",
      path: `/images/${image.split("/").map(encodeURIComponent).join("/")}/json`,
    });
    return isHexName(image) && !(found.RepoTags ?? []).includes(`${image}:latest`) ? undefined : found;
  } catch (error) {
    // Several ids begin like the name.
    if (isFlotillaError(error, "not_found") || (isHexName(image) && isFlotillaError(error, "invalid"))) return undefined;
    if (isFlotillaError(error, "invalid")) throw new FlotillaError("invalid", `image "${image}": ${error.message}`, { cause: error });
    throw error;
  }
}
