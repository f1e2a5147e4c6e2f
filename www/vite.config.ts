import tailwindcss from "@tailwindcss/vite";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** Paths that the office serves; the service worker never answers them from its cache. */
const OFFICE_PATHS = /^\/(api|sync|office|metrics|healthz|readyz)(\/|$)/;

/** The version of the whole package. */
const VERSION = /^version = "(.+)"/m.exec(readFileSync(resolve(import.meta.dirname, "../Cargo.toml"), "utf8"))?.[1];

export default defineConfig({
  define: { __VERSION__: JSON.stringify(VERSION) },
  plugins: [
    tailwindcss(),
    VitePWA({
      // A new version waits until the user chooses it: no reload while a form is filled in.
      registerType: "prompt",
      injectRegister: null,
      includeManifestIcons: false,
      workbox: {
        // The browser itself loads the other icons when it installs the app.
        globPatterns: ["index.html", "assets/**/*.{js,css,wasm}", "icons/*.svg"],
        globIgnores: ["assets/office-*"],
        navigateFallback: "/index.html",
        navigateFallbackDenylist: [OFFICE_PATHS],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
        cleanupOutdatedCaches: true,
        importScripts: ["/notices.js"],
        // The page of the first visit needs the cache too.
        clientsClaim: true,
      },
      manifest: {
        id: "/",
        name: "Doorstep",
        short_name: "Doorstep",
        description: "Offline-first visit records",
        start_url: "/",
        scope: "/",
        display: "standalone",
        background_color: "#f2f5f3",
        theme_color: "#175c52",
        icons: [
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
    }),
  ],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Inlined `data:` URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        field: resolve(import.meta.dirname, "index.html"),
        office: resolve(import.meta.dirname, "office/index.html"),
      },
      output: {
        // Phones do not load the console's pages: the service worker ignores them by this name.
        chunkFileNames: ({ facadeModuleId }) =>
          facadeModuleId?.includes("/src/office/") ? "assets/office-[name]-[hash].js" : "assets/[name]-[hash].js",
      },
    },
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:8787", "/sync": "http://127.0.0.1:8787" },
  },
});
