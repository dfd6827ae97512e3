import type { PreviewServer, ViteDevServer } from "vite";
import { defineConfig } from "vitest/config";

// cors: false, because Vite would answer preflights itself and hide what Flask does
const server = { host: "127.0.0.1", strictPort: true, cors: false };
const page = { happyDOM: { url: "http://localhost:5173/" } };

// the server answers to both names, but the login needs one and the same for page and API: never print the other
function sayLocalhost(server: ViteDevServer | PreviewServer) {
  const printUrls = server.printUrls.bind(server);
  server.printUrls = () => {
    const urls = server.resolvedUrls;
    if (urls) urls.local = urls.local.map((url) => url.replace("//127.0.0.1:", "//localhost:"));
    printUrls();
  };
}

export default defineConfig({
  plugins: [{ name: "say-localhost", configureServer: sayLocalhost, configurePreviewServer: sayLocalhost }],
  server: { ...server, port: 5173 },
  preview: { ...server, port: 4173 },
  test: { environment: "happy-dom", environmentOptions: page },
});
