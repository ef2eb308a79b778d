// The floor view: streams foot points while it is on the screen, and only then.

import { ask, listen } from "/api.js";
import { byId, h, svg } from "/elements.js";
import { drawFeet, drawLine, drawZone, plane } from "/plane.js";
import { number, t } from "/words.js";

let stop = null;
let layers = new Map();

export async function openFloor(over) {
  closeFloor();
  const { cameras } = await ask("GET", "/api/geometry");
  layers = new Map();
  byId("floor").className = "two";
  byId("floor").replaceChildren(...cameras.map((camera) => {
    const { picture, high } = plane(camera.aspect, { "aria-label": t("floor_label", { camera: camera.geometry.camera }) });
    const feet = svg("g", { "aria-hidden": "true" });
    picture.append(...camera.geometry.zone.map((zone) => drawZone(zone, high)), ...camera.geometry.line.map((line) => drawLine(line, high)), feet);
    const count = h("p", { class: "hint number" }, t("in_view", { n: "–" }));
    layers.set(camera.geometry.camera, { feet, high, count });
    return h("article", { class: "card" }, h("div", { class: "head" }, h("h2", {}, camera.geometry.camera), count), picture);
  }));
  if (!cameras.length) byId("floor").append(h("p", { class: "card soft" }, t("no_camera")));
  stop = listen("/api/floor", { feet: showFeet }, over);
}

export function closeFloor() {
  stop?.();
  stop = null;
}

function showFeet(cameras) {
  for (const { camera, points } of cameras) {
    const layer = layers.get(camera);
    if (!layer) continue;
    drawFeet(layer.feet, points, layer.high);
    const words = t("in_view", { n: number(points.length) });
    if (layer.count.textContent !== words) layer.count.textContent = words;
  }
}
