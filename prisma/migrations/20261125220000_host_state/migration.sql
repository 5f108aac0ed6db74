-- CreateTable
CREATE TABLE "host_states" (
    "host_id" TEXT NOT NULL,
    "generation" BIGINT NOT NULL DEFAULT 0,
    "hash" TEXT NOT NULL DEFAULT '',
    "composed_at" TIMESTAMPTZ(3),
    "applied_generation" BIGINT,
    "applied_hash" TEXT,
    "applied_at" TIMESTAMPTZ(3),
    "failures" JSONB NOT NULL DEFAULT '[]',
    "epoch" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "host_states_pkey" PRIMARY KEY ("host_id")
);

-- CreateTable
CREATE TABLE "host_observed" (
    "host_id" TEXT NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "revision" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "host_observed_pkey" PRIMARY KEY ("host_id","key")
);

-- CreateIndex
CREATE INDEX "host_observed_key_idx" ON "host_observed"("key");

-- AddForeignKey
ALTER TABLE "host_states" ADD CONSTRAINT "host_states_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "host_observed" ADD CONSTRAINT "host_observed_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;
