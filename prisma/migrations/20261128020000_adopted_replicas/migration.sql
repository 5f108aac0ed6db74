-- A replica may take over a container that runs already: its id.
ALTER TABLE "stack_replicas" ADD COLUMN "adopts" TEXT;
