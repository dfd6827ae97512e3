// Uses of a file that need CORS: with a CORS policy, and without one for comparison.
// See MDN: Web/HTTP/Guides/CORS

import { API_URL } from "../api";
import { find, make } from "../app/elements";
import { isSameOrigin } from "../explain";

// A use shows a sample in `place`. It throws if the browser blocks the file.
type Use = (place: HTMLElement, url: string) => Promise<unknown>;
const uses: [id: string, name: string, file: string, use: Use][] = [
  ["fetch", "fetch", "cors.png", readByFetch],
  ["xhr", "XMLHttpRequest", "cors.png", readByXHR],
  ["font", "@font-face", "cors.ttf", useFont],
  ["canvas", "Canvas pixels", "cors.png", readCanvas],
  ["webgl", "WebGL texture", "cors.png", useTexture],
  ["shape", "CSS shape-outside", "cors.png", useShape],
];
const blueprints = isSameOrigin(API_URL)
  ? { cors: "from /cors", "no-cors": "from /no-cors" }
  : { cors: "with CORS", "no-cors": "without CORS" };

export function startResources(): void {
  for (const [id, name, file, use] of uses) {
    const item = make("li", { class: "card", "data-resource": id }, make("h3", {}, name));
    for (const [blueprint, label] of Object.entries(blueprints)) {
      const verdict = make("p", { class: "verdict", role: "status" }, label);
      const sample = make("div", { class: "sample" });
      const half = make("div", { "data-from": blueprint, "data-state": "" }, verdict, sample);
      item.append(half);
      find("#load-resources").addEventListener("click", async () => {
        sample.replaceChildren();
        half.dataset.state = await attempt(sample, use, `${API_URL}/api/demo/${blueprint}/assets/${file}`);
        verdict.textContent = `${label}: ${half.dataset.state}`;
      });
    }
    find("#resources").append(item);
  }
}

async function attempt(sample: HTMLElement, use: Use, url: string): Promise<"ok" | "unsupported" | "blocked"> {
  try {
    return (await use(sample, url)) === "unsupported" ? "unsupported" : "ok";
  } catch (error) {
    sample.append(make("small", {}, error instanceof Error ? error.message : String(error)));
    return "blocked";
  }
}

async function readByFetch(place: HTMLElement, url: string) {
  const { size } = await (await fetch(url)).blob();
  place.append(`${size} bytes`);
}

async function readByXHR(place: HTMLElement, url: string) {
  const request = new XMLHttpRequest();
  request.open("GET", url);
  request.responseType = "arraybuffer";
  await new Promise((resolve, reject) => {
    request.onload = resolve;
    request.onerror = () => reject(new Error("Error event without a reason"));
    request.send();
  });
  place.append(`${request.response.byteLength} bytes`);
}

async function useFont(place: HTMLElement, url: string) {
  const lettering = make("p", { class: "lettering" }, "Hello!");
  place.append(lettering);
  document.fonts.add(await new FontFace("From the API", `url("${url}")`).load());
  lettering.style.fontFamily = "From the API";
}

async function readCanvas(place: HTMLElement, url: string) {
  const canvas = make("canvas", { width: "72", height: "72" });
  place.append(canvas);
  const context = canvas.getContext("2d");
  context?.drawImage(await loadImage(url), 0, 0, 72, 72);
  const colour = context?.getImageData(36, 36, 1, 1).data; // throws if an image without CORS tainted the canvas
  place.append(`Centre pixel: ${colour?.slice(0, 3).join(", ")}`);
}

async function useTexture(place: HTMLElement, url: string) {
  const image = await loadImage(url);
  const gl = make("canvas").getContext("webgl");
  gl?.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl?.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image); // throws for an image without CORS
  place.append(gl ? `${image.width} × ${image.height} texels` : "This browser has no WebGL.");
  return gl ?? "unsupported";
}

async function useShape(place: HTMLElement, url: string) {
  const shape = await loadImage(url); // with CORS first: Chromium cannot reuse an image without CORS as a shape
  const text = make("span", {}, "This text flows around a disc. Without access to the pixels, it flows around a box.");
  place.append(shape, text);
  const left = () => text.getClientRects()[0]?.left;
  const besideBox = left();
  shape.style.shapeImageThreshold = "1"; // above every opacity: the shape is empty once it is in use
  shape.style.shapeOutside = `url("${url}")`;
  for (let tries = 0; left() === besideBox; tries++) {
    if (tries === 60) throw new Error("No error, but the text flows around the box.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  shape.style.shapeImageThreshold = "";
}

async function loadImage(src: string): Promise<HTMLImageElement> {
  const image = make("img", { crossorigin: "anonymous", src, alt: "" }); // with CORS and without cookies
  await image.decode().catch(() => {
    image.removeAttribute("crossorigin"); // without CORS, the image can still be shown
    return image.decode();
  });
  return image;
}
