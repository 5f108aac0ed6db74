-- What people write into a compose file is often a secret. What was written before is sealed at the control plane's next start,
-- and nothing else of a revision ever changes.
ALTER TABLE "stack_revisions" ADD COLUMN "sealed_source" BYTEA;
ALTER TABLE "stack_revisions" ALTER COLUMN "source" DROP NOT NULL;

CREATE OR REPLACE FUNCTION "stack_revisions_keep"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD."sealed_source" IS NULL AND NEW."sealed_source" IS NOT NULL AND NEW."source" IS NULL
    AND (NEW."id", NEW."stack_id", NEW."number", NEW."sealed", NEW."created_by", NEW."created_at")
      = (OLD."id", OLD."stack_id", OLD."number", OLD."sealed", OLD."created_by", OLD."created_at")
  THEN RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a revision of a stack is never changed';
END $$;
