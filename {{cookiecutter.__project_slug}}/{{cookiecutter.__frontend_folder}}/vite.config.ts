import { loadEnv, type PreviewServer, type ViteDevServer } from "vite";
import { defineConfig } from "vitest/config";

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

export default defineConfig(({ mode }) => {
  // page and API share the .env of the project; only what begins with VITE_ gets into the page
  const { PORT, TRUSTED_HOSTS } = loadEnv(mode, "..", ["PORT", "TRUSTED_HOSTS"]);
  // names of this machine beside localhost, for a tunnel or Codespaces: Vite refuses others (DNS rebinding)
  const allowedHosts = (TRUSTED_HOSTS ?? "").split(/[\s,]+/);
  // used where VITE_API_URL is empty; changeOrigin: false, so that Flask sees the host that the browser sees
  const api = { target: `http://127.0.0.1:${PORT || 8000}`, changeOrigin: false };
  const proxy = { "^/(api|health)(/|$)": api };
  // cors: false, because Vite would answer preflights itself and hide what Flask does
  const server = { host: "127.0.0.1", allowedHosts, strictPort: true, cors: false, proxy };
  return {
    envDir: "..",
    plugins: [{ name: "say-localhost", configureServer: sayLocalhost, configurePreviewServer: sayLocalhost }],
    server: { ...server, port: 5173 },
    preview: { ...server, port: 4173 },
    test: { environment: "happy-dom", environmentOptions: page, env: { VITE_API_URL: "http://localhost:8000" } },
  };
});
