-- CreateTable
CREATE TABLE "control_planes" (
    "id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "control_planes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "host_connections" (
    "host_id" TEXT NOT NULL,
    "control_plane_id" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,

    CONSTRAINT "host_connections_pkey" PRIMARY KEY ("host_id")
);

-- CreateIndex
CREATE INDEX "host_connections_control_plane_id_idx" ON "host_connections"("control_plane_id");

-- AddForeignKey
ALTER TABLE "host_connections" ADD CONSTRAINT "host_connections_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "host_connections" ADD CONSTRAINT "host_connections_control_plane_id_fkey" FOREIGN KEY ("control_plane_id") REFERENCES "control_planes"("id") ON DELETE CASCADE ON UPDATE CASCADE;
