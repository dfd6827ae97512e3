import { loadEnv, type PreviewServer, type ViteDevServer } from "vite";
import { defineConfig } from "vitest/config";

const environmentOptions = { happyDOM: { url: "http://localhost:5173/" } };

// Print localhost instead of 127.0.0.1: they are two sites, and the cookie needs one name for front end and API.
function printLocalhost(server: ViteDevServer | PreviewServer) {
  const printUrls = server.printUrls.bind(server);
  server.printUrls = () => {
    const urls = server.resolvedUrls;
    if (urls) urls.local = urls.local.map((url) => url.replace("//127.0.0.1:", "//localhost:"));
    printUrls();
  };
}

export default defineConfig(({ mode }) => {
  // Front end and API share the project's .env. Vite puts only variables that begin with VITE_ into the front end.
  const { PORT, TRUSTED_HOSTS } = loadEnv(mode, "..", ["PORT", "TRUSTED_HOSTS"]);
  // Other host names of this machine, for a tunnel or Codespaces. Vite refuses unknown names (DNS rebinding).
  const allowedHosts = (TRUSTED_HOSTS ?? "").split(/[\s,]+/);
  // Used if VITE_API_URL is empty. With changeOrigin: false, Flask sees the same host as the browser (CSRF protection).
  const api = { target: `http://127.0.0.1:${PORT || 8000}`, changeOrigin: false };
  const proxy = { "^/(api|health)(/|$)": api };
  // cors: false, because Vite would answer preflights itself, and the policies of Flask would have no effect.
  const server = { host: "127.0.0.1", allowedHosts, strictPort: true, cors: false, proxy };
  return {
    envDir: "..",
    plugins: [{ name: "print-localhost", configureServer: printLocalhost, configurePreviewServer: printLocalhost }],
    server: { ...server, port: 5173 },
    preview: { ...server, port: 4173 },
    test: { environment: "happy-dom", environmentOptions, env: { VITE_API_URL: "http://localhost:8000" } },
  };
});
