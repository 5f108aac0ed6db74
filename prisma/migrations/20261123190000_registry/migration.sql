-- CreateTable
CREATE TABLE "registry_repositories" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "path" TEXT COLLATE "C" NOT NULL,
    "is_public" BOOLEAN NOT NULL DEFAULT false,
    "description" TEXT NOT NULL DEFAULT '',
    "immutable_tags" TEXT,
    "retention" JSONB NOT NULL DEFAULT '{"rules":[],"untaggedAfterDays":null}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pushed_at" TIMESTAMPTZ(3),

    CONSTRAINT "registry_repositories_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_manifests" (
    "id" TEXT NOT NULL,
    "repository_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "artifact_type" TEXT,
    "subject" TEXT,
    "annotations" JSONB NOT NULL DEFAULT '{}',
    "size" INTEGER NOT NULL,
    "content_size" BIGINT NOT NULL,
    "content" BYTEA NOT NULL,
    "pushed_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pushed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registry_manifests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_references" (
    "manifest_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,

    CONSTRAINT "registry_references_pkey" PRIMARY KEY ("manifest_id","digest")
);

-- CreateTable
CREATE TABLE "registry_children" (
    "parent_id" TEXT NOT NULL,
    "child_id" TEXT NOT NULL,

    CONSTRAINT "registry_children_pkey" PRIMARY KEY ("parent_id","child_id")
);

-- CreateTable
CREATE TABLE "registry_tags" (
    "id" TEXT NOT NULL,
    "repository_id" TEXT NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "manifest_id" TEXT NOT NULL,
    "pushed_by" TEXT NOT NULL,
    "pushed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pulled_at" TIMESTAMPTZ(3),

    CONSTRAINT "registry_tags_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_blobs" (
    "digest" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "storage_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registry_blobs_pkey" PRIMARY KEY ("digest")
);

-- CreateTable
CREATE TABLE "registry_links" (
    "repository_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "leased_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "registry_links_pkey" PRIMARY KEY ("repository_id","digest")
);

-- CreateTable
CREATE TABLE "registry_uploads" (
    "id" TEXT NOT NULL,
    "repository_id" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "offset" BIGINT NOT NULL DEFAULT 0,
    "writer" TEXT,
    "writer_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registry_uploads_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_trash" (
    "storage_key" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registry_trash_pkey" PRIMARY KEY ("storage_key")
);

-- CreateTable
CREATE TABLE "registry_quotas" (
    "team_id" TEXT NOT NULL,
    "limit_bytes" BIGINT,

    CONSTRAINT "registry_quotas_pkey" PRIMARY KEY ("team_id")
);

-- CreateTable
CREATE TABLE "registry_cleanups" (
    "id" TEXT NOT NULL,
    "started_by" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "phase" TEXT NOT NULL,
    "checked" INTEGER NOT NULL DEFAULT 0,
    "total" INTEGER NOT NULL DEFAULT 0,
    "deleted_blobs" INTEGER NOT NULL DEFAULT 0,
    "freed_bytes" BIGINT NOT NULL DEFAULT 0,
    "error" TEXT,

    CONSTRAINT "registry_cleanups_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "registry_repositories_path_key" ON "registry_repositories"("path");

-- CreateIndex
CREATE INDEX "registry_repositories_team_id_idx" ON "registry_repositories"("team_id");

-- CreateIndex
CREATE INDEX "registry_manifests_repository_id_subject_idx" ON "registry_manifests"("repository_id", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "registry_manifests_repository_id_digest_key" ON "registry_manifests"("repository_id", "digest");

-- CreateIndex
CREATE INDEX "registry_references_digest_idx" ON "registry_references"("digest");

-- CreateIndex
CREATE INDEX "registry_children_child_id_idx" ON "registry_children"("child_id");

-- CreateIndex
CREATE INDEX "registry_tags_manifest_id_idx" ON "registry_tags"("manifest_id");

-- CreateIndex
CREATE UNIQUE INDEX "registry_tags_repository_id_name_key" ON "registry_tags"("repository_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "registry_blobs_storage_key_key" ON "registry_blobs"("storage_key");

-- CreateIndex
CREATE INDEX "registry_links_digest_idx" ON "registry_links"("digest");

-- CreateIndex
CREATE INDEX "registry_uploads_repository_id_idx" ON "registry_uploads"("repository_id");

-- CreateIndex
CREATE INDEX "registry_cleanups_started_at_idx" ON "registry_cleanups"("started_at");

-- AddForeignKey
ALTER TABLE "registry_repositories" ADD CONSTRAINT "registry_repositories_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_manifests" ADD CONSTRAINT "registry_manifests_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "registry_repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_tags" ADD CONSTRAINT "registry_tags_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "registry_repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_links" ADD CONSTRAINT "registry_links_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "registry_repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_uploads" ADD CONSTRAINT "registry_uploads_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "registry_repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_references" ADD CONSTRAINT "registry_references_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "registry_manifests"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_references" ADD CONSTRAINT "registry_references_digest_fkey" FOREIGN KEY ("digest") REFERENCES "registry_blobs"("digest") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_children" ADD CONSTRAINT "registry_children_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "registry_manifests"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_children" ADD CONSTRAINT "registry_children_child_id_fkey" FOREIGN KEY ("child_id") REFERENCES "registry_manifests"("id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_tags" ADD CONSTRAINT "registry_tags_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "registry_manifests"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_links" ADD CONSTRAINT "registry_links_digest_fkey" FOREIGN KEY ("digest") REFERENCES "registry_blobs"("digest") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_quotas" ADD CONSTRAINT "registry_quotas_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- At most one clean-up runs, however many control planes there are.
CREATE UNIQUE INDEX "registry_cleanups_one_running" ON "registry_cleanups"((true)) WHERE "finished_at" IS NULL;
