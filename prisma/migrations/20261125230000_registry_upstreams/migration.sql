-- CreateTable
CREATE TABLE "registry_upstreams" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "url" TEXT NOT NULL,
    "username" TEXT,
    "sealed_password" BYTEA,
    "ca" TEXT,
    "token_server" TEXT,
    "allows_private" BOOLEAN NOT NULL DEFAULT false,
    "tag_ttl_seconds" INTEGER NOT NULL,
    "keep_days" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "reached_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "registry_upstreams_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_wanted" (
    "manifest_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "is_manifest" BOOLEAN NOT NULL,

    CONSTRAINT "registry_wanted_pkey" PRIMARY KEY ("manifest_id","digest")
);

-- AlterTable
ALTER TABLE "registry_repositories" ADD COLUMN "upstream_id" TEXT;
ALTER TABLE "registry_manifests" ADD COLUMN "pulled_at" TIMESTAMPTZ(3);
ALTER TABLE "registry_tags" ADD COLUMN "verified_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE UNIQUE INDEX "registry_upstreams_team_id_name_key" ON "registry_upstreams"("team_id", "name");

-- CreateIndex
CREATE INDEX "registry_repositories_upstream_id_idx" ON "registry_repositories"("upstream_id");

-- CreateIndex
CREATE INDEX "registry_wanted_digest_idx" ON "registry_wanted"("digest");

-- AddForeignKey
ALTER TABLE "registry_upstreams" ADD CONSTRAINT "registry_upstreams_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_repositories" ADD CONSTRAINT "registry_repositories_upstream_id_fkey" FOREIGN KEY ("upstream_id") REFERENCES "registry_upstreams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_wanted" ADD CONSTRAINT "registry_wanted_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "registry_manifests"("id") ON DELETE CASCADE ON UPDATE CASCADE;
