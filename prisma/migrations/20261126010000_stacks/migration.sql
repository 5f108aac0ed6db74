-- AlterTable
ALTER TABLE "hosts" ADD COLUMN "availability" TEXT NOT NULL DEFAULT 'active';

-- CreateTable
CREATE TABLE "stacks" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "current" INTEGER NOT NULL DEFAULT 0,
    "removed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stacks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_revisions" (
    "id" TEXT NOT NULL,
    "stack_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "source" JSONB NOT NULL,
    "sealed" BYTEA NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stack_revisions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_services" (
    "id" TEXT NOT NULL,
    "stack_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "target" JSONB NOT NULL,
    "stable" JSONB,
    "state" TEXT NOT NULL DEFAULT 'rolling',
    "message" TEXT NOT NULL DEFAULT '',
    "rolls_back" BOOLEAN NOT NULL DEFAULT false,
    "is_approved" BOOLEAN NOT NULL DEFAULT false,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "is_removed" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "stack_services_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_replicas" (
    "id" TEXT NOT NULL,
    "service_id" TEXT NOT NULL,
    "host_id" TEXT NOT NULL,
    "slot" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "target" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'run',
    "because" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "drained_at" TIMESTAMPTZ(3),
    "ready_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "move_because" TEXT,

    CONSTRAINT "stack_replicas_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_addresses" (
    "service_id" TEXT NOT NULL,
    "network_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,

    CONSTRAINT "stack_addresses_pkey" PRIMARY KEY ("service_id","network_id")
);

-- CreateTable
CREATE TABLE "stack_volumes" (
    "stack_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "host_id" TEXT NOT NULL,

    CONSTRAINT "stack_volumes_pkey" PRIMARY KEY ("stack_id","name","host_id")
);

-- CreateTable
CREATE TABLE "stack_deployments" (
    "id" TEXT NOT NULL,
    "stack_id" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "plan" JSONB NOT NULL,
    "outcome" TEXT NOT NULL DEFAULT 'running',
    "message" TEXT NOT NULL DEFAULT '',
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "stack_deployments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_deployment_steps" (
    "id" TEXT NOT NULL,
    "deployment_id" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "service" TEXT NOT NULL,
    "replica_id" TEXT,
    "host" TEXT,
    "level" TEXT NOT NULL DEFAULT 'info',
    "text" TEXT NOT NULL,

    CONSTRAINT "stack_deployment_steps_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_files" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stack_files_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_file_versions" (
    "id" TEXT NOT NULL,
    "file_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "sealed" BYTEA NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stack_file_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stack_variables" (
    "stack_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,

    CONSTRAINT "stack_variables_pkey" PRIMARY KEY ("stack_id","name")
);

-- CreateIndex
CREATE UNIQUE INDEX "stacks_team_id_name_key" ON "stacks"("team_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "stack_revisions_stack_id_number_key" ON "stack_revisions"("stack_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "stack_services_stack_id_name_key" ON "stack_services"("stack_id", "name");

-- CreateIndex
CREATE INDEX "stack_replicas_service_id_idx" ON "stack_replicas"("service_id");

-- CreateIndex
CREATE INDEX "stack_replicas_host_id_idx" ON "stack_replicas"("host_id");

-- CreateIndex
CREATE UNIQUE INDEX "stack_addresses_network_id_address_key" ON "stack_addresses"("network_id", "address");

-- CreateIndex
CREATE INDEX "stack_deployments_stack_id_id_idx" ON "stack_deployments"("stack_id", "id");

-- CreateIndex
CREATE INDEX "stack_deployment_steps_deployment_id_id_idx" ON "stack_deployment_steps"("deployment_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "stack_files_team_id_kind_name_key" ON "stack_files"("team_id", "kind", "name");

-- CreateIndex
CREATE UNIQUE INDEX "stack_file_versions_file_id_version_key" ON "stack_file_versions"("file_id", "version");

-- AddForeignKey
ALTER TABLE "stacks" ADD CONSTRAINT "stacks_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_revisions" ADD CONSTRAINT "stack_revisions_stack_id_fkey" FOREIGN KEY ("stack_id") REFERENCES "stacks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_services" ADD CONSTRAINT "stack_services_stack_id_fkey" FOREIGN KEY ("stack_id") REFERENCES "stacks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_replicas" ADD CONSTRAINT "stack_replicas_service_id_fkey" FOREIGN KEY ("service_id") REFERENCES "stack_services"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_replicas" ADD CONSTRAINT "stack_replicas_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_addresses" ADD CONSTRAINT "stack_addresses_service_id_fkey" FOREIGN KEY ("service_id") REFERENCES "stack_services"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_volumes" ADD CONSTRAINT "stack_volumes_stack_id_fkey" FOREIGN KEY ("stack_id") REFERENCES "stacks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_deployments" ADD CONSTRAINT "stack_deployments_stack_id_fkey" FOREIGN KEY ("stack_id") REFERENCES "stacks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_deployment_steps" ADD CONSTRAINT "stack_deployment_steps_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "stack_deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_files" ADD CONSTRAINT "stack_files_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_file_versions" ADD CONSTRAINT "stack_file_versions_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "stack_files"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stack_variables" ADD CONSTRAINT "stack_variables_stack_id_fkey" FOREIGN KEY ("stack_id") REFERENCES "stacks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A revision is what it was when it was applied.
CREATE FUNCTION "stack_revisions_keep"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a revision of a stack is never changed';
END $$;
CREATE TRIGGER "stack_revisions_keep" BEFORE UPDATE ON "stack_revisions" FOR EACH ROW EXECUTE FUNCTION "stack_revisions_keep"();
