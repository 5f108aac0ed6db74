-- AlterTable
ALTER TABLE "users" ADD COLUMN "is_service" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "api_tokens" ADD COLUMN "has_all_rights" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN "rights" TEXT[],
ADD COLUMN "has_all_hosts" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN "host_ids" TEXT[],
ADD COLUMN "last_used_address" TEXT;
