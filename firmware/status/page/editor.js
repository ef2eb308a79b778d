// The editor of lines and zones: drag, draw, name, flip; every point moves by arrow keys too. The device checks each change.

import { Refused, ask } from "/api.js";
import { byId, h, show, svg, toast } from "/elements.js";
import { WIDE, clamp, drawLine, drawZone, plane } from "/plane.js";
import { current, percent, said, span, t } from "/words.js";

const STEP = 0.01, CHECK_MS = 300, DRAWN_MIN = 0.03;
let state = null;
let room = { state: "none", camera: "" };

export async function openEditor() {
  if (state) { build(); return; }
  const planes = await ask("GET", "/api/geometry");
  state = { planes: planes.cameras, at: 0, draft: null, kept: "", chosen: null, mode: null, remarks: [], checking: 0 };
  if (state.planes.length) take(0);
  build();
}

export function closeEditor() {
  if (!state) return;
  clearTimeout(state.timer);
  state = null;
  byId("editor").replaceChildren();
}

export function showPresence(status) {
  const left = Math.ceil(status.presence_left_s / 5) * 5;
  show(byId("presence"), [current(), left > 120 ? Math.ceil(left / 60) : left], () => left > 0
    ? h("p", { class: "banner good" }, t("presence_yes", { time: span(left > 120 ? Math.ceil(left / 60) * 60 : left) }))
    : h("p", { class: "banner" }, t("presence_no")));
  if (state) state.present = left > 0;
  const save = byId("save-geometry");
  if (save) save.disabled = !ready();
}

export function showRoom(now) {
  room = now;
  if (state && byId("room-line")) { drawRoom(); }
}

const copy = (value) => JSON.parse(JSON.stringify(value));
const dirty = () => state.kept !== JSON.stringify(state.draft);
const ready = () => Boolean(state?.present && dirty() && !state.remarks.some((remark) => remark.level === "error"));

function take(at) {
  state.at = at;
  state.draft = copy(state.planes[at].geometry);
  state.kept = JSON.stringify(state.draft);
  Object.assign(state, { chosen: null, mode: null, remarks: [] });
}

function build() {
  const place = byId("editor");
  if (!state.draft) { place.replaceChildren(h("p", { class: "card soft" }, t("no_camera"))); return; }
  const view = state.planes[state.at];
  const { picture, high } = plane(view.aspect, { role: "group", "aria-label": t("editor_label", { camera: view.geometry.camera }), id: "draft" });
  Object.assign(state, { picture, high, backdrop: svg("g", {}), shapes: svg("g", {}), sketch: svg("g", {}), adders: svg("g", {}), grips: svg("g", {}) });
  picture.append(state.backdrop, state.shapes, state.sketch, state.adders, state.grips);
  picture.addEventListener("pointerdown", startDrawing);
  place.replaceChildren(h("article", { class: "card" },
    h("div", { class: "head" }, h("h2", {}, t("editor_title")), state.planes.length > 1 && picker()),
    h("p", { class: "soft" }, t("editor_lead")),
    h("div", { class: "work" },
      h("div", { class: "stack" }, toolbar(), picture, h("p", { class: "hint", id: "room-line" }), h("div", { id: "findings", role: "status" })),
      h("div", { class: "stack" }, h("div", { class: "drawings", id: "drawings" }), h("div", { class: "buttons" },
        h("button", { class: "primary", type: "button", id: "save-geometry", onclick: save, disabled: true }, t("save")),
        h("button", { type: "button", onclick: () => { take(state.at); build(); } }, t("undo_all")))))));
  drawRoom();
  drawShapes();
  drawGrips();
  drawPanel();
  check();
}

function picker() {
  return h("label", { class: "quiet-select" }, h("span", { class: "hidden" }, t("camera_pick")),
    h("select", { onchange: (event) => { take(Number(event.target.value)); build(); } },
      state.planes.map((each, n) => h("option", { value: n, selected: n === state.at }, each.geometry.camera))));
}

function toolbar() {
  return h("div", { class: "buttons", role: "toolbar", "aria-label": t("editor_title") },
    ["line", "area", "queue"].map((mode) => h("button", { type: "button", id: `draw-${mode}`, "aria-pressed": String(state.mode === mode), onclick: () => wish(mode) }, t(`add_${mode}`))),
    h("button", { type: "button", id: "room-button", onclick: wantRoom }, t("room_show")));
}

function wish(mode) {
  if (state.mode === mode) { add(mode, mode === "line" ? [[0.3, 0.6], [0.7, 0.6]] : [[0.35, 0.5], [0.65, 0.8]]); return; }
  state.mode = mode;
  pressed();
  toast(t("drawing_hint"));
}

function pressed() {
  for (const mode of ["line", "area", "queue"]) byId(`draw-${mode}`)?.setAttribute("aria-pressed", String(state.mode === mode));
  state.picture.classList.toggle("sketching", Boolean(state.mode));
}

// ---- what is drawn

function faultyOf(kind, index) {
  return state.remarks.some((remark) => remark.kind === kind && remark.index === index && remark.level === "error") ? "faulty" : "";
}

function drawShapes() {
  const style = (kind, index) => `${faultyOf(kind, index)} ${state.chosen?.kind === kind && state.chosen.index === index ? "chosen" : ""}`;
  state.shapes.replaceChildren(
    ...state.draft.zone.map((zone, n) => drawZone(zone, state.high, style("zone", n))),
    ...state.draft.line.map((line, n) => drawLine(line, state.high, style("line", n))));
}

function pointsOf(kind, index) {
  const each = state.draft[kind][index];
  return kind === "line" ? [each.start, each.end] : each.polygon;
}

function setPoint(kind, index, at, point) {
  const kept = point.map((value) => Math.round(clamp(value, 0, 1) * 10000) / 10000);
  const each = state.draft[kind][index];
  if (kind === "line") each[at === 0 ? "start" : "end"] = kept; else each.polygon[at] = kept;
}

function drawGrips() {
  const grips = [];
  for (const kind of ["zone", "line"]) {
    state.draft[kind].forEach((_each, index) => {
      pointsOf(kind, index).forEach((_, at) => grips.push(grip(kind, index, at)));
    });
  }
  state.grips.replaceChildren(...grips);
  drawAdders();
}

// Between the corners of the chosen zone: one more corner each.
function drawAdders() {
  const { chosen, draft } = state;
  const polygon = chosen?.kind === "zone" ? draft.zone[chosen.index]?.polygon ?? [] : [];
  state.adders.replaceChildren(...polygon.length < 64 ? polygon.map((_, at) => plus(chosen.index, at)) : []);
  placeGrips();
}

function grip(kind, index, at) {
  const element = svg("g", { class: "grip", tabindex: "0", role: "button", "data-kind": kind, "data-index": index, "data-at": at },
    svg("circle", { class: "touch", r: 30 }), svg("circle", { class: "handle", r: 10 }));
  element.addEventListener("focus", () => { state.corner = at; choose(kind, index); });
  element.addEventListener("keydown", (event) => byKey(event, kind, index, at));
  element.addEventListener("pointerdown", (event) => startMoving(event, element, kind, index, at));
  return element;
}

function plus(index, at) {
  const name = state.draft.zone[index].name;
  const put = () => {
    const polygon = state.draft.zone[index].polygon, next = polygon[(at + 1) % polygon.length];
    polygon.splice(at + 1, 0, [(polygon[at][0] + next[0]) / 2, (polygon[at][1] + next[1]) / 2]);
    const side = state.draft.zone[index].service_side;
    if (side !== null && side !== undefined && side > at) state.draft.zone[index].service_side = side + 1;
    changed(true);
    state.grips.querySelector(`[data-kind="zone"][data-index="${index}"][data-at="${at + 1}"]`)?.focus();
  };
  const element = svg("g", { class: "adder", tabindex: "0", role: "button", "aria-label": t("add_corner", { name, n: at }), "data-index": index, "data-at": at },
    svg("circle", { class: "touch", r: 20 }), svg("circle", { class: "plus", r: 7 }));
  element.addEventListener("click", put);
  element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); put(); } });
  return element;
}

function placeGrips() {
  for (const element of [...state.grips.children, ...state.adders.children]) {
    const { kind, index, at } = element.dataset;
    const points = pointsOf(kind ?? "zone", Number(index));
    const [a, b] = [points[Number(at)], points[(Number(at) + 1) % points.length]];
    const [x, y] = kind ? a : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    for (const circle of element.children) { circle.setAttribute("cx", x * WIDE); circle.setAttribute("cy", y * state.high); }
    if (kind) element.setAttribute("aria-label", `${t(kind === "line" ? "end_at" : "corner_at", { name: state.draft[kind][index].name, n: Number(at) + (kind === "line" ? 1 : 0) })}: ${t("point_value", { x: Math.round(x * 100), y: Math.round(y * 100) })}`);
  }
}

// ---- how it moves

function byKey(event, kind, index, at) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const move = moves[event.key];
  if (move) {
    event.preventDefault();
    const [x, y] = pointsOf(kind, index)[at], step = event.shiftKey ? STEP * 5 : STEP;
    setPoint(kind, index, at, [x + move[0] * step, y + move[1] * step]);
    changed(false);
  } else if (event.key === "Delete" && kind === "zone" && state.draft.zone[index].polygon.length > 3) {
    event.preventDefault();
    removeCorner(index, at);
  }
}

function removeCorner(index, at) {
  const zone = state.draft.zone[index];
  zone.polygon.splice(at, 1);
  if (zone.service_side !== null && zone.service_side !== undefined) {
    if (zone.service_side > at) zone.service_side -= 1;
    zone.service_side = Math.min(zone.service_side, zone.polygon.length - 1);
  }
  changed(true);
  state.grips.querySelector(`[data-kind="zone"][data-index="${index}"]`)?.focus();
}

function shareAt(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(state.picture.getScreenCTM().inverse());
  return [clamp(point.x / WIDE, 0, 1), clamp(point.y / state.high, 0, 1)];
}

function startMoving(event, element, kind, index, at) {
  if (state.mode) return;
  event.preventDefault();
  event.stopPropagation();
  element.setPointerCapture(event.pointerId);
  element.focus({ preventScroll: true });
  const move = (each) => { setPoint(kind, index, at, shareAt(each)); changed(false); };
  const end = () => { element.removeEventListener("pointermove", move); element.removeEventListener("pointerup", end); element.removeEventListener("pointercancel", end); };
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
}

function startDrawing(event) {
  if (!state.mode) return;
  event.preventDefault();
  const mode = state.mode, start = shareAt(event), { picture, high, sketch } = state;
  picture.setPointerCapture(event.pointerId);
  const move = (each) => {
    const end = shareAt(each);
    const [x, y] = [Math.min(start[0], end[0]) * WIDE, Math.min(start[1], end[1]) * high];
    sketch.replaceChildren(mode === "line"
      ? svg("line", { class: "sketch", x1: start[0] * WIDE, y1: start[1] * high, x2: end[0] * WIDE, y2: end[1] * high })
      : svg("rect", { class: "sketch", x, y, width: Math.abs(end[0] - start[0]) * WIDE, height: Math.abs(end[1] - start[1]) * high }));
  };
  const stop = (each) => {
    picture.removeEventListener("pointermove", move);
    picture.removeEventListener("pointerup", stop);
    picture.removeEventListener("pointercancel", stop);
    sketch.replaceChildren();
    const end = shareAt(each);
    if (each.type === "pointerup" && Math.hypot(end[0] - start[0], end[1] - start[1]) >= DRAWN_MIN) add(mode, [start, end]);
  };
  picture.addEventListener("pointermove", move);
  picture.addEventListener("pointerup", stop);
  picture.addEventListener("pointercancel", stop);
}

function add(mode, [a, b]) {
  const kind = mode === "line" ? "line" : "zone";
  const taken = new Set(state.draft[kind].map((each) => each.name));
  let n = state.draft[kind].length + 1;
  while (taken.has(t(`new_${mode}`, { n }))) n += 1;
  const name = t(`new_${mode}`, { n });
  const [x0, x1, y0, y1] = [Math.min(a[0], b[0]), Math.max(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  if (mode === "line") state.draft.line.push({ name, start: a, end: b, in: "left" });
  else state.draft.zone.push({ name, polygon: [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], kind: mode, service_side: mode === "queue" ? 0 : null });
  const index = state.draft[kind].length - 1;
  pointsOf(kind, index).forEach((point, at) => setPoint(kind, index, at, point));
  state.mode = null;
  pressed();
  state.chosen = { kind, index };
  changed(true);
  byId(`name-${kind}-${index}`)?.select();
}

function choose(kind, index) {
  if (state.chosen?.kind === kind && state.chosen.index === index) return;
  state.chosen = { kind, index };
  drawShapes();
  for (const card of document.querySelectorAll(".drawing")) card.classList.toggle("chosen", card.id === `drawing-${kind}-${index}`);
  drawAdders();
}

function changed(structure) {
  drawShapes();
  if (structure) { drawGrips(); drawPanel(); } else placeGrips();
  byId("save-geometry").disabled = !ready();
  clearTimeout(state.timer);
  state.timer = setTimeout(check, CHECK_MS);
}

// ---- beside it

function drawPanel() {
  byId("drawings").replaceChildren(
    ...state.draft.line.map((line, n) => card("line", n, line, lineFields(line, n))),
    ...state.draft.zone.map((zone, n) => card("zone", n, zone, zoneFields(zone, n))));
}

function card(kind, index, each, fields) {
  const id = `name-${kind}-${index}`;
  return h("fieldset", { class: `drawing ${state.chosen?.kind === kind && state.chosen.index === index ? "chosen" : ""}`, id: `drawing-${kind}-${index}`, onfocusin: () => choose(kind, index) },
    h("legend", { class: "hidden" }, `${t(kind === "line" ? "line" : each.kind ?? "area")} ${each.name}`),
    h("div", { class: "field" }, h("label", { for: id }, `${t(kind === "line" ? "line" : each.kind ?? "area")} · ${t("name")}`),
      h("input", { id, value: each.name, maxlength: "64", required: true, oninput: (event) => { each.name = event.target.value; changed(false); } })),
    fields,
    h("div", { class: "buttons" },
      kind === "line" && h("button", { type: "button", onclick: () => { each.in = each.in === "right" ? "left" : "right"; changed(false); } }, t("flip")),
      kind === "zone" && h("button", { type: "button", disabled: each.polygon.length <= 3, onclick: () => removeCorner(index, Math.min(state.corner ?? 0, each.polygon.length - 1)) }, t("remove_corner")),
      h("button", { type: "button", class: "danger", "aria-label": `${t("remove")}: ${each.name}`, onclick: () => { state.draft[kind].splice(index, 1); state.chosen = null; changed(true); } }, t("remove"))));
}

function lineFields(line, index) {
  const id = `door-${index}`;
  return h("div", { class: "row" }, h("input", { type: "checkbox", id, class: "box", checked: line.door !== false, onchange: (event) => { line.door = event.target.checked; changed(false); } }), h("label", { for: id }, t("door")));
}

function zoneFields(zone, index) {
  const [kind, side, dwell] = [`kind-${index}`, `side-${index}`, `dwell-${index}`];
  return h("div", { class: "pair" },
    h("div", { class: "field" }, h("label", { for: kind }, t("kind")),
      h("select", { id: kind, onchange: (event) => { zone.kind = event.target.value; zone.service_side = zone.kind === "queue" ? zone.service_side ?? 0 : null; changed(true); } },
        ["area", "queue"].map((each) => h("option", { value: each, selected: (zone.kind ?? "area") === each }, t(each))))),
    zone.kind === "queue"
      ? h("div", { class: "field" }, h("label", { for: side }, t("service_side")),
        h("select", { id: side, onchange: (event) => { zone.service_side = event.target.value === "" ? null : Number(event.target.value); changed(false); } },
          h("option", { value: "", selected: zone.service_side === null }, t("service_none")),
          zone.polygon.map((_, n) => h("option", { value: n, selected: zone.service_side === n }, t("side", { n })))))
      : h("div", { class: "field" }, h("label", { for: dwell }, t("dwell_min")),
        h("input", { id: dwell, type: "number", min: "0", max: "3600", step: "0.5", value: zone.dwell_s_min ?? 0, oninput: (event) => { zone.dwell_s_min = Number(event.target.value) || 0; changed(false); } })));
}

// ---- what the device says

async function check() {
  if (!state?.draft) return;
  const asked = state.checking += 1;
  try {
    const checked = await ask("POST", "/api/geometry/check", state.draft);
    if (!state || asked !== state.checking) return;
    state.remarks = checked.remarks;
  } catch (error) {
    if (!state || asked !== state.checking) return;
    state.remarks = [{ level: "error", rule: "", what: error instanceof Refused ? error.message : t("unreachable"), hint: "", kind: "", index: -1 }];
  }
  drawShapes();
  drawFindings();
  byId("save-geometry").disabled = !ready();
}

function drawFindings() {
  show(byId("findings"), [current(), state.remarks], () => [h("h3", {}, t("findings")), state.remarks.length
    ? h("ul", { class: "remarks" }, state.remarks.map((remark) => h("li", { class: remark.level }, h("b", {}, `${t("level_" + remark.level)}: `), said(remark.what), remark.hint && h("small", {}, said(remark.hint)))))
    : h("p", { class: "good" }, t("findings_good"))]);
}

async function save() {
  try {
    const checked = await ask("PUT", "/api/geometry", state.draft);
    state.remarks = checked.remarks;
    if (checked.good) {
      state.planes[state.at].geometry = copy(state.draft);
      state.kept = JSON.stringify(state.draft);
    }
    toast(t(checked.good ? "saved" : "not_saved_check"));
    drawFindings();
    drawShapes();
  } catch (error) {
    toast(error.error === "presence_needed" ? t("presence_no") : error.message);
  }
  byId("save-geometry").disabled = !ready();
}

// ---- the backdrop: the one picture there is, and nobody is in it

async function wantRoom() {
  if (room.state === "ready" && state.backdrop.firstChild) { state.hideRoom = true; drawRoom(); return; }
  state.hideRoom = false;
  if (room.state === "ready" && room.camera === state.draft.camera) { drawRoom(); return; }
  try {
    showRoom(await ask("POST", "/api/room", { camera: state.draft.camera }));
  } catch (error) {
    toast(error.error === "presence_needed" ? t("presence_no") : error.message);
  }
}

function drawRoom() {
  const mine = room.camera === state.draft.camera;
  const shown = mine && room.state === "ready" && !state.hideRoom;
  if (shown && !state.backdrop.firstChild) state.backdrop.replaceChildren(svg("image", { href: "/api/room/picture", width: WIDE, height: state.high, preserveAspectRatio: "none" }));
  if (!shown) state.backdrop.replaceChildren();
  state.picture.classList.toggle("on-picture", shown);
  byId("room-button").textContent = t(shown ? "room_hide" : "room_show");
  const words = { making: t("room_waiting"), refused: room.refused, ready: shown ? t("room_made", { seconds: room.seconds, known: percent(room.known) }) : "" };
  byId("room-line").textContent = mine ? words[room.state] ?? "" : "";
}
