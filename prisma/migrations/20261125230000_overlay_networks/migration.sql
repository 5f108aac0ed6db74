-- For equality inside an exclusion constraint. A trusted extension: the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS "btree_gist";

-- AlterTable
ALTER TABLE "hosts" ADD COLUMN "number" SERIAL NOT NULL, ADD COLUMN "down_since" TIMESTAMPTZ(3);

-- CreateIndex
CREATE UNIQUE INDEX "hosts_number_key" ON "hosts"("number");

-- VNIs have 24 bits; Docker swarm begins at 4096. It does not cycle: a VNI is never used again.
CREATE SEQUENCE "overlay_networks_vni_seq" AS INTEGER START WITH 4097 MINVALUE 4097 MAXVALUE 16777215;

-- CreateTable
CREATE TABLE "overlay_networks" (
    "id" TEXT NOT NULL,
    "team_id" TEXT NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "vni" INTEGER NOT NULL DEFAULT nextval('"overlay_networks_vni_seq"'),
    "subnet" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "address_range" TEXT,
    "subnet6" TEXT,
    "block_length" INTEGER NOT NULL,
    "mtu_bytes" INTEGER,
    "is_internal" BOOLEAN NOT NULL,
    "is_attachable" BOOLEAN NOT NULL,
    "labels" JSONB NOT NULL,
    "options" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "overlay_networks_pkey" PRIMARY KEY ("id")
);
ALTER SEQUENCE "overlay_networks_vni_seq" OWNED BY "overlay_networks"."vni";

-- CreateTable
CREATE TABLE "overlay_leases" (
    "id" TEXT NOT NULL,
    "network_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "host_id" TEXT,
    "cidr" INET NOT NULL,
    "leased_at" TIMESTAMPTZ(3) NOT NULL,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "overlay_leases_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "overlay_leases_kind" CHECK ("kind" IN ('block', 'pin', 'reserved'))
);

-- CreateTable
CREATE TABLE "overlay_tombstones" (
    "network_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "died_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "overlay_tombstones_pkey" PRIMARY KEY ("network_id","address")
);

-- CreateTable
CREATE TABLE "overlay_refusals" (
    "host_id" TEXT NOT NULL,
    "network_id" TEXT NOT NULL,
    "nonce" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "overlay_refusals_pkey" PRIMARY KEY ("host_id","network_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "overlay_networks_vni_key" ON "overlay_networks"("vni");

-- CreateIndex
CREATE UNIQUE INDEX "overlay_networks_team_id_name_key" ON "overlay_networks"("team_id", "name");

-- CreateIndex
CREATE INDEX "overlay_leases_host_id_idx" ON "overlay_leases"("host_id");

-- No address of a network is ever two owners', whatever the programs above do.
ALTER TABLE "overlay_leases" ADD CONSTRAINT "overlay_leases_no_overlap"
  EXCLUDE USING gist ("network_id" WITH =, "cidr" inet_ops WITH &&);

-- AddForeignKey
ALTER TABLE "overlay_networks" ADD CONSTRAINT "overlay_networks_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "overlay_leases" ADD CONSTRAINT "overlay_leases_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "overlay_networks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "overlay_leases" ADD CONSTRAINT "overlay_leases_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "overlay_tombstones" ADD CONSTRAINT "overlay_tombstones_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "overlay_networks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "overlay_refusals" ADD CONSTRAINT "overlay_refusals_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;
