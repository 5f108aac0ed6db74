-- Every control plane hears of every audit row when it is committed, whoever wrote it: open pages ask again.
CREATE FUNCTION "audit_rows_notify"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('flotilla_audit', COALESCE(NEW."team_id", ''));
  RETURN NULL;
END $$;
CREATE TRIGGER "audit_rows_notify" AFTER INSERT OR UPDATE ON "audit_rows" FOR EACH ROW EXECUTE FUNCTION "audit_rows_notify"();
