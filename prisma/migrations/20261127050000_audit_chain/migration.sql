-- The audit's chain: each committed state of a row of the audit is sealed by SHA-256 over the seal before it and the row.
CREATE TABLE "audit_seals" (
    "seq" BIGINT NOT NULL,
    "row_id" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "previous" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("seq")
);
CREATE INDEX "audit_seals_row_id_seq_idx" ON "audit_seals"("row_id", "seq");

-- What a transaction of a fixed snapshot wrote: it cannot see the newest seal, so the next one seals it.
CREATE TABLE "audit_pending" (
    "id" BIGSERIAL NOT NULL,
    "row_id" TEXT NOT NULL,
    "content" TEXT NOT NULL,

    CONSTRAINT "audit_pending_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "audit_pending_row_id_idx" ON "audit_pending"("row_id");

-- Where the chain begins after rows over the age of retention were removed: at most one row.
CREATE TABLE "audit_anchors" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "seq" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "pruned_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_anchors_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "audit_anchors_one" CHECK ("id" = 1)
);

-- One text for one row: jsonb writes its keys in one order, and times do not depend on the session's zone.
CREATE FUNCTION "audit_content"(r "audit_rows") RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'id', r."id", 'team', r."team_id", 'time', to_char(r."time" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'actorKind', r."actor_kind", 'actorId', r."actor_id", 'actor', r."actor_name", 'action', r."action",
    'objectKind', r."object_kind", 'objectId', r."object_id", 'object', r."object_name",
    'outcome', r."outcome", 'address', r."address", 'detail', r."detail")::text
$$;

-- Appends one seal. The caller holds the chain's lock.
CREATE FUNCTION "audit_append"(of_row text, of_content text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  last record;
BEGIN
  SELECT "seq", "hash" INTO last FROM "audit_seals" ORDER BY "seq" DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT "seq", "hash" INTO last FROM "audit_anchors";
  END IF;
  INSERT INTO "audit_seals" ("seq", "row_id", "content", "previous", "hash")
  SELECT COALESCE(last."seq", 0) + 1, of_row, of_content, before, encode(sha256(convert_to(before || E'\n' || of_content, 'UTF8')), 'hex')
  FROM (SELECT COALESCE(last."hash", repeat('0', 64)) AS before) AS chain;
END $$;

-- Seals what waits for it. In a transaction that sees what is newest (read committed) only.
CREATE FUNCTION "audit_seal"() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  waiting record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('flotilla audit chain', 0));
  FOR waiting IN
    WITH gone AS (DELETE FROM "audit_pending" RETURNING "id", "row_id", "content") SELECT * FROM gone ORDER BY "id"
  LOOP
    PERFORM "audit_append"(waiting."row_id", waiting."content");
  END LOOP;
END $$;

-- Deferred, so that the lock is taken last of all locks of a transaction and held for its commit only: it can end in no deadlock.
CREATE FUNCTION "audit_rows_chain"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM "audit_seal"();
    -- Rows that come back from a backup bring their seals.
    IF NOT EXISTS (SELECT 1 FROM "audit_seals" WHERE "row_id" = NEW."id" AND "content" = "audit_content"(NEW)) THEN
      PERFORM "audit_append"(NEW."id", "audit_content"(NEW));
    END IF;
  ELSE
    INSERT INTO "audit_pending" ("row_id", "content") VALUES (NEW."id", "audit_content"(NEW));
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER "audit_rows_chain" AFTER INSERT OR UPDATE ON "audit_rows"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "audit_rows_chain"();

-- Removes what is older than `before`, from the beginning of the chain on, and says how many rows that were.
CREATE FUNCTION "audit_prune"(before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  cut bigint;
  removed bigint;
BEGIN
  PERFORM "audit_seal"();
  SELECT COALESCE(
    (SELECT min(s."seq") - 1 FROM "audit_seals" s JOIN "audit_rows" r ON r."id" = s."row_id" WHERE r."time" >= before),
    (SELECT max("seq") FROM "audit_seals")) INTO cut;
  IF cut IS NULL OR NOT EXISTS (SELECT 1 FROM "audit_seals" WHERE "seq" <= cut) THEN
    RETURN 0;
  END IF;
  INSERT INTO "audit_anchors" ("id", "seq", "hash", "pruned_at") SELECT 1, "seq", "hash", now() FROM "audit_seals" WHERE "seq" = cut
    ON CONFLICT ("id") DO UPDATE SET "seq" = EXCLUDED."seq", "hash" = EXCLUDED."hash", "pruned_at" = EXCLUDED."pruned_at";
  PERFORM set_config('flotilla.audit_prune', 'on', true);
  DELETE FROM "audit_rows" r WHERE EXISTS (SELECT 1 FROM "audit_seals" s WHERE s."row_id" = r."id" AND s."seq" <= cut)
    AND NOT EXISTS (SELECT 1 FROM "audit_seals" s WHERE s."row_id" = r."id" AND s."seq" > cut);
  GET DIAGNOSTICS removed = ROW_COUNT;
  DELETE FROM "audit_seals" WHERE "seq" <= cut;
  PERFORM set_config('flotilla.audit_prune', 'off', true);
  RETURN removed;
END $$;

-- As before, but for retention.
CREATE OR REPLACE FUNCTION "audit_rows_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('flotilla.audit_prune', true) = 'on' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD."outcome" = 'started' AND NEW."outcome" IN ('ok', 'failed')
     AND (to_jsonb(NEW) - 'outcome' - 'detail') = (to_jsonb(OLD) - 'outcome' - 'detail') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit rows are only ever added';
END $$;

CREATE FUNCTION "audit_seals_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('flotilla.audit_prune', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'seals of the audit are only ever added';
END $$;
CREATE TRIGGER "audit_seals_append_only" BEFORE UPDATE OR DELETE ON "audit_seals" FOR EACH ROW EXECUTE FUNCTION "audit_seals_append_only"();
CREATE TRIGGER "audit_seals_no_truncate" BEFORE TRUNCATE ON "audit_seals" FOR EACH STATEMENT EXECUTE FUNCTION "audit_seals_append_only"();

-- Rows from before the chain.
DO $$
DECLARE
  r "audit_rows";
BEGIN
  FOR r IN SELECT * FROM "audit_rows" ORDER BY "id" LOOP
    PERFORM "audit_append"(r."id", "audit_content"(r));
  END LOOP;
END $$;
