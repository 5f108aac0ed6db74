-- CreateTable
CREATE TABLE "guard_rails" (
    "id" TEXT NOT NULL,
    "host_id" TEXT,
    "team_id" TEXT,
    "limits" JSONB NOT NULL,
    "allow" JSONB NOT NULL,
    "updated_by" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "guard_rails_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "guard_rails_host_id_idx" ON "guard_rails"("host_id");

-- CreateIndex
CREATE INDEX "guard_rails_team_id_idx" ON "guard_rails"("team_id");

-- AddForeignKey
ALTER TABLE "guard_rails" ADD CONSTRAINT "guard_rails_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "guard_rails" ADD CONSTRAINT "guard_rails_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;
