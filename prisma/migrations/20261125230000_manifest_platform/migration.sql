-- Platform of an image, read from its configuration once: the list of tags shows it.
ALTER TABLE "registry_manifests" ADD COLUMN "platform" TEXT;
