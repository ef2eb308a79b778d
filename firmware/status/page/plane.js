// The floor: lines, zones and feet on an empty plane. Coordinates are shares of the view; the picture is 1000 wide.

import { svg } from "/elements.js";
import { t } from "/words.js";

export const WIDE = 1000;

export function plane(aspect, attributes = {}) {
  const high = WIDE / aspect;
  const picture = svg("svg", { class: "plane", viewBox: `0 0 ${WIDE} ${high}`, role: "img", ...attributes });
  picture.append(mesh(high));
  return { picture, high };
}

// Lines that meet at the horizon: a floor, not a wall.
function mesh(high) {
  const far = -high * 0.35, middle = WIDE / 2;
  let path = "";
  for (let n = -14; n <= 14; n += 1) {
    const x = middle + n * WIDE / 7;
    path += `M${x} ${high}L${middle + (x - middle) * (0 - far) / (high - far)} 0`;
  }
  for (let n = 1; n < 9; n += 1) {
    const y = far + (high - far) / (1 + (9 - n) * 0.16);
    if (y > 0) path += `M0 ${y}H${WIDE}`;
  }
  return svg("path", { class: "mesh", d: path, "aria-hidden": "true" });
}

export function drawZone(zone, high, style = "") {
  const points = zone.polygon.map(([x, y]) => [x * WIDE, y * high]);
  const parts = [svg("polygon", { class: `zone ${zone.kind ?? "area"} ${style}`, points: points.map((point) => point.join(",")).join(" ") })];
  if (zone.kind === "queue" && zone.service_side !== null && zone.service_side !== undefined && zone.service_side < points.length) {
    const [a, b] = [points[zone.service_side], points[(zone.service_side + 1) % points.length]];
    parts.push(svg("line", { class: "service", x1: a[0], y1: a[1], x2: b[0], y2: b[1] }));
  }
  const centre = points.reduce((sum, [x, y]) => [sum[0] + x / points.length, sum[1] + y / points.length], [0, 0]);
  parts.push(label(centre[0], centre[1], zone.name, "middle"));
  return svg("g", {}, parts);
}

export function drawLine(line, high, style = "") {
  const [a, b] = [[line.start[0] * WIDE, line.start[1] * high], [line.end[0] * WIDE, line.end[1] * high]];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]], length = Math.hypot(dx, dy) || 1;
  const sign = (line.in ?? "left") === "left" ? 1 : -1;
  const [nx, ny] = [sign * dy / length, -sign * dx / length];
  const [mx, my] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const tip = [mx + nx * 54, my + ny * 54];
  const wing = (turn) => [tip[0] - 13 * (nx * 0.8 + turn * ny * 0.6), tip[1] - 13 * (ny * 0.8 - turn * nx * 0.6)];
  const [w1, w2] = [wing(1), wing(-1)];
  return svg("g", {},
    svg("line", { class: `line ${style}`, x1: a[0], y1: a[1], x2: b[0], y2: b[1] }),
    svg("path", { class: `arrow ${style}`, d: `M${mx} ${my}L${tip[0]} ${tip[1]}M${w1[0]} ${w1[1]}L${tip[0]} ${tip[1]}L${w2[0]} ${w2[1]}` }),
    svg("text", { class: "tag", x: clamp(tip[0] + nx * 16, 20, WIDE - 20), y: clamp(tip[1] + ny * 16 + 5, 16, high - 6), "text-anchor": "middle" }, t("in_arrow")),
    label(...beside(a, b, nx, ny, high), line.name, "middle"));
}

function beside(a, b, nx, ny, high) {
  const [x, y] = [a[0] + (b[0] - a[0]) * 0.2 - nx * 24, a[1] + (b[1] - a[1]) * 0.2 - ny * 24];
  return [x, clamp(y, 18, high - 8)];
}

function label(x, y, text, anchor) {
  return svg("text", { x: clamp(x, 30, WIDE - 30), y: y + 5, "text-anchor": anchor }, text);
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Circles follow the nearest new point, so that they glide; a point has no identity, and gets none here.
export function drawFeet(layer, points, high) {
  const wanted = points.map(([x, y]) => [x * WIDE / 1000, y * high / 1000]);
  const circles = [...layer.querySelectorAll("g")];
  const free = new Set(circles);
  const at = (circle) => [Number(circle.dataset.x), Number(circle.dataset.y)];
  for (const [x, y] of wanted) {
    let nearest = null, best = 140;
    for (const circle of free) {
      const [cx, cy] = at(circle), away = Math.hypot(cx - x, cy - y);
      if (away < best) { best = away; nearest = circle; }
    }
    if (nearest) free.delete(nearest);
    else layer.append(nearest = svg("g", {}, svg("circle", { class: "halo", r: 22 }), svg("circle", { class: "foot-point", r: 9 })));
    nearest.dataset.x = x; nearest.dataset.y = y;
    for (const circle of nearest.children) { circle.setAttribute("cx", x); circle.setAttribute("cy", y); }
  }
  for (const gone of free) gone.remove();
}
