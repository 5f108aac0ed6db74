-- AlterTable
ALTER TABLE "users" ADD COLUMN "is_instance_admin" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN "active_team_id" TEXT;

-- AlterTable
ALTER TABLE "memberships" ADD COLUMN "role_id" TEXT;

-- CreateTable
CREATE TABLE "team_roles" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "rights" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "team_roles_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "host_grants" (
    "id" TEXT NOT NULL,
    "host_id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "rights" TEXT[],
    "max_containers" INTEGER,
    "max_cpus" DOUBLE PRECISION,
    "max_memory_bytes" BIGINT,
    "host_ports" JSONB,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "host_grants_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "team_roles_team_id_name_key" ON "team_roles"("team_id", "name");

-- CreateIndex
CREATE INDEX "memberships_role_id_idx" ON "memberships"("role_id");

-- CreateIndex
CREATE INDEX "host_grants_team_id_idx" ON "host_grants"("team_id");

-- CreateIndex
CREATE UNIQUE INDEX "host_grants_host_id_team_id_key" ON "host_grants"("host_id", "team_id");

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_active_team_id_fkey" FOREIGN KEY ("active_team_id") REFERENCES "teams"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "team_roles"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_roles" ADD CONSTRAINT "team_roles_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "host_grants" ADD CONSTRAINT "host_grants_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "host_grants" ADD CONSTRAINT "host_grants_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Administrators become owners, members deployers; who set Flotilla up looks after the instance.
UPDATE "memberships" SET "role" = CASE "role" WHEN 'admin' THEN 'owner' WHEN 'member' THEN 'deployer' ELSE "role" END;
UPDATE "users" SET "is_instance_admin" = true
WHERE "id" = (
    SELECT "users"."id" FROM "users" JOIN "memberships" ON "memberships"."user_id" = "users"."id"
    WHERE "memberships"."role" = 'owner' ORDER BY "users"."created_at", "users"."id" LIMIT 1
);
