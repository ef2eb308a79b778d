// The walk test: the installer walks, the device judges, and signs what it saw.

import { ask } from "/api.js";
import { byId, h, show, toast } from "/elements.js";
import { current, number, span, t } from "/words.js";

const PARTS = ["walk", "loiter", "peek"];

export function showWalk(walk, status) {
  if (!status || !walk) return;
  const place = byId("walk");
  const cameras = status.cameras.map((camera) => [camera.name, camera.live.lines.map((line) => line.name)]);
  const shape = walk.running ? ["running", walk.line, walk.part, walk.closing] : walk.over ? ["over", walk.lines] : ["form", cameras];
  show(place, [current(), ...shape], () => h("article", { class: "card" }, h("h2", {}, t("walk_title")),
    walk.running ? running(walk) : walk.over ? over(walk, cameras) : form(cameras)));
  if (walk.running) progress(walk);
}

function form(cameras) {
  const lines = cameras.flatMap(([camera, names]) => names.map((name) => [camera, name]));
  if (!lines.length) return h("p", { class: "soft" }, t("walk_no_lines"));
  return [h("p", { class: "soft" }, t("walk_lead")), h("form", { class: "stack", onsubmit: start },
    h("div", { class: "grid" },
      h("div", { class: "field" }, h("label", { for: "walk-line" }, t("walk_lines")),
        h("select", { id: "walk-line" }, cameras.filter(([, names]) => names.length).flatMap(([camera, names]) => [
          names.length > 1 && h("option", { value: JSON.stringify([camera, names]) }, names.join(" + ")),
          ...names.map((name) => h("option", { value: JSON.stringify([camera, [name]]) }, cameras.length > 1 ? `${name} · ${camera}` : name)),
        ]))),
      h("div", { class: "field" }, h("label", { for: "walk-passes" }, t("walk_passes")), h("input", { id: "walk-passes", type: "number", min: "1", max: "50", value: "5", required: true })),
      h("div", { class: "field" }, h("label", { for: "walk-installer" }, t("walk_installer")), h("input", { id: "walk-installer", maxlength: "64", autocomplete: "name" }))),
    h("div", { class: "buttons" }, h("button", { class: "primary", id: "walk-start" }, t("walk_start"))))];
}

async function start(event) {
  event.preventDefault();
  const [camera, lines] = JSON.parse(byId("walk-line").value);
  const plan = { camera, lines, passes: Number(byId("walk-passes").value) };
  await act("POST", "/api/walk", { plan, installer: byId("walk-installer").value });
}

async function act(method, path, body) {
  try {
    await ask(method, path, body);
  } catch (error) {
    toast(error.error === "presence_needed" ? t("presence_no") : error.message);
  }
}

function running(walk) {
  const plan = walk.plan;
  const amount = { walk: plan.passes, loiter: plan.loiter_s, peek: plan.peeks };
  const done = walk.lines.find((line) => line.line === walk.line)?.parts ?? [];
  return [h("h3", {}, walk.line), h("ol", { class: "steps" }, PARTS.map((part, n) => {
    const result = done.find((each) => each.part === part);
    const style = result ? (result.reasons.length ? "failed" : "passed") : part === walk.part ? "current" : "";
    return h("li", { class: `step ${style}`, "aria-current": part === walk.part ? "step" : null },
      h("i", { "aria-hidden": "true" }, result ? (result.reasons.length ? "×" : "✓") : n + 1),
      h("div", {}, h("b", {}, t(`walk_${part}`)),
        part === walk.part && h("p", {}, t(`walk_do_${part}`, { n: number(amount[part]) })),
        part === walk.part && h("p", { class: "number", id: "walk-progress", role: "status" }),
        result && reasons(result)));
  })), h("div", { class: "buttons" },
    h("button", { class: "primary", type: "button", disabled: walk.closing, onclick: () => act("POST", "/api/walk/part") }, t("walk_done_part")),
    h("button", { type: "button", onclick: () => act("DELETE", "/api/walk") }, t("walk_stop")))];
}

function progress(walk) {
  const place = byId("walk-progress");
  if (!place || !walk.so_far) return;
  const now = walk.so_far;
  const counted = { walk: t("walk_counts", { in: now.entries, out: now.exits }), loiter: t("walk_seen", { n: now.seen_s }), peek: t("walk_noticed", { n: Math.min(now.provisional_entries, now.provisional_exits) }) }[walk.part];
  const left = t(walk.closing ? "walk_listening" : "walk_left", { time: span(walk.left_s) });
  place.textContent = `${counted} · ${left}`;
}

function reasons(result) {
  return result.reasons.map((reason) => h("p", { class: "soft" }, t(`reason_${reason.code}`, { counted: number(reason.counted), wanted: number(reason.wanted) })));
}

function over(walk, cameras) {
  return [h("p", { class: `banner ${walk.passed ? "good" : "bad"}`, id: "walk-verdict", role: "status" }, t(walk.passed ? "walk_passed" : "walk_failed")),
    ...walk.lines.map((line) => [h("h3", {}, t(line.passed ? "walk_line_passed" : "walk_line_failed", { line: line.line })),
      h("ol", { class: "steps" }, line.parts.map((part) => h("li", { class: `step ${part.reasons.length ? "failed" : "passed"}` }, h("i", { "aria-hidden": "true" }, part.reasons.length ? "×" : "✓"),
        h("div", {}, h("b", {}, t(`walk_${part.part}`)), h("p", { class: "soft" }, t("walk_counts", { in: part.entries, out: part.exits })), reasons(part)))))]),
    h("p", { class: "buttons" }, h("a", { class: "button", href: "/api/walk/record", download: "passerby-acceptance.json" }, t("walk_save"))),
    h("details", { class: "table" }, h("summary", {}, t("walk_again")), h("div", { class: "stack" }, form(cameras)))];
}
