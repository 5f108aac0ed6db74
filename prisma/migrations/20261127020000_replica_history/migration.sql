-- AlterTable
ALTER TABLE "stack_replicas" ADD COLUMN "last_phase" TEXT NOT NULL DEFAULT '',
ADD COLUMN "reasons" JSONB;

-- AlterTable
ALTER TABLE "stack_services" ADD COLUMN "reasons" JSONB;

-- AlterTable
ALTER TABLE "stack_deployment_steps" ADD COLUMN "said" JSONB;

-- CreateTable
CREATE TABLE "stack_replica_events" (
    "id" TEXT NOT NULL,
    "replica_id" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "phase" TEXT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "stack_replica_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "stack_replica_events_replica_id_id_idx" ON "stack_replica_events"("replica_id", "id");

-- AddForeignKey
ALTER TABLE "stack_replica_events" ADD CONSTRAINT "stack_replica_events_replica_id_fkey" FOREIGN KEY ("replica_id") REFERENCES "stack_replicas"("id") ON DELETE CASCADE ON UPDATE CASCADE;
