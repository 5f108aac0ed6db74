import { defineConfig } from "prisma/config";

// Only `prisma generate` reads this: migrations are applied by packages/db at the start of the control plane.
export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
