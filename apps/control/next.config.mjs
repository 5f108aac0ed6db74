// The dashboard is served by our own HTTP server (src/server), which hands page requests to Next's handler. All data comes
// through tRPC, so no page is generated ahead of time and nothing is cached by Next. (As JavaScript: an installation without
// Next's compiler could not read TypeScript.)
/** @type {import("next").NextConfig} */
const config = {
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  // Image optimisation would need a native library, and the dashboard has no raster images.
  images: { unoptimized: true },
  // The catalogues are compiled on the server (src/app/layout.tsx): the page needs no parser of ICU messages.
  turbopack: { resolveAlias: { "use-intl/format-message": "use-intl/format-message/format-only" } },
  experimental: { optimizePackageImports: ["radix-ui", "lucide-react"] },
};

export default config;
