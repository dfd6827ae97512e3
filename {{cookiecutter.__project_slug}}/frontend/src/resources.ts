// Five uses of a file that a browser allows by CORS only. MDN: Web/HTTP/Guides/CORS

import { API_URL, api } from "./api";
import { find, make } from "./elements";

const IMAGE = `${API_URL}/api/public/assets/cors.png`;
const FONT = `${API_URL}/api/public/assets/cors.ttf`;

// each shows a sample in its place, and throws where the browser refuses
const uses: [id: string, name: string, use: (place: HTMLElement) => Promise<unknown>][] = [
  ["script", "fetch, XMLHttpRequest", readBytes],
  ["font", "@font-face", useFont],
  ["canvas", "Canvas, read back", readCanvas],
  ["webgl", "WebGL texture", useTexture],
  ["shape", "CSS shape-outside", useShape],
];

export function startResources(): void {
  for (const [id, name, use] of uses) {
    const sample = make("div", { class: "sample" });
    const verdict = make("p", { class: "verdict", role: "status" });
    const item = make("li", { "data-resource": id, "data-state": "" }, make("h3", {}, name), sample, verdict);
    find("#resources").append(item);
    find("#load-resources").addEventListener("click", async () => {
      sample.replaceChildren();
      const end = await use(sample).catch(() => "refused");
      item.dataset.state = verdict.textContent = typeof end === "string" ? end : "ok";
    });
  }
}

async function readBytes(place: HTMLElement) {
  const { size } = await (await fetch(IMAGE)).blob();
  const { data } = await api.get<Blob>(IMAGE, { responseType: "blob", withCredentials: false }); // an XMLHttpRequest
  place.append(`${size} and ${data.size} bytes`);
}

async function useFont(place: HTMLElement) {
  document.fonts.add(await new FontFace("From the API", `url("${FONT}")`).load());
  place.append(make("span", { class: "lettering" }, "Hello!"));
}

async function readCanvas(place: HTMLElement) {
  const canvas = make("canvas", { width: "72", height: "72" });
  const context = canvas.getContext("2d");
  context?.drawImage(await loadImage(), 0, 0, 72, 72);
  const colour = context?.getImageData(36, 36, 1, 1).data; // throws where an image without CORS tainted the canvas
  place.append(canvas, `Its middle: ${colour?.slice(0, 3).join(", ")}`);
}

async function useTexture(place: HTMLElement) {
  const image = await loadImage();
  const gl = make("canvas").getContext("webgl");
  gl?.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl?.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image); // throws for an image without CORS
  place.append(gl ? `${image.width} × ${image.height} texels` : "This browser has no WebGL.");
  return gl ?? "missing";
}

async function useShape(place: HTMLElement) {
  const shape = await loadImage(); // loaded without CORS first, Chromium would not use it as a shape any more
  const text = make(
    "span",
    {},
    "These words follow the outline of the image, which the browser reads from its pixels.",
  );
  place.append(shape, text);
  const left = () => text.getClientRects()[0]?.left;
  const besideBox = left();
  shape.style.shapeImageThreshold = "1"; // no pixel is that opaque: once the image is in use, the shape is empty
  shape.style.shapeOutside = `url("${IMAGE}")`;
  for (let tries = 0; left() === besideBox; tries++) {
    if (tries === 60) throw new Error("the words still keep to the box");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  shape.style.shapeImageThreshold = "";
}

async function loadImage(): Promise<HTMLImageElement> {
  const image = make("img", { crossorigin: "anonymous", src: IMAGE, alt: "" }); // by CORS, and without cookies
  await image.decode();
  return image;
}
