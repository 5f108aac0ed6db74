-- The last time step whose one-time code was taken: it and earlier ones are not taken again (RFC 6238, 5.2).
ALTER TABLE "two_factors" ADD COLUMN "last_step" INTEGER;
