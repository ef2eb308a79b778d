// Health: does it see, does the wall stand, does the clock hold, does the collector answer.

import { byId, h, show } from "/elements.js";
import { bytes, current, knows, number, percent, span, t } from "/words.js";

export function showDevice(status) {
  const place = byId("device");
  show(place, [current(), slow(status)], () => h("div", { class: "two" }, ...status.cameras.map(cameraCard), deliveryCard(status), machineCard(status)));
}

// What changes every second without being news stays out of the comparison, so that a screen reader is not interrupted.
const slow = (status) => ({ ...status, cameras: status.cameras.map((camera) => ({ ...camera, open: null, live: null })) });

export function showWarnings(status) {
  const found = warningsOf(status);
  for (const place of document.querySelectorAll(".warnings")) show(place, [current(), found], () => found.map(([level, words]) => h("p", { class: `banner ${level}` }, words)));
}

function warningsOf(status) {
  const found = status.faults.map((fault) => ["bad", t("safe_mode", { fault })]);
  for (const camera of status.cameras) {
    if (!["running", "starting", "ended"].includes(camera.state)) found.push(["bad", t("camera_does_not_see", { camera: camera.name, reason: camera.reason || t("state_" + camera.state) })]);
    if (camera.wall === "open") found.push(["bad", t("wall_open_long", { camera: camera.name })]);
    if (camera.wall === "weaker") found.push(["warn", t("wall_weaker_long", { camera: camera.name })]);
    if (camera.fallback) found.push(["warn", t("fallback_long", { camera: camera.name })]);
  }
  if (status.delivery.storage === "volatile") found.push(["bad", t("storage_volatile")]);
  if (status.delivery.storage === "full") found.push(["warn", t("storage_full")]);
  if (status.delivery.configured && status.delivery.last_error) found.push(["warn", t("delivery_trouble", { error: status.delivery.last_error })]);
  return found;
}

function facts(rows) {
  return h("dl", { class: "facts" }, rows.map(([name, value, style]) => [h("dt", {}, name), h("dd", { class: style }, value)]));
}

function cameraCard(camera) {
  const seen = camera.observed_s + camera.blind_s;
  const wall = { enforced: "good", weaker: "warn", open: "bad", unknown: "" }[camera.wall];
  const state = camera.state === "running" ? "good" : camera.state === "starting" || camera.state === "ended" ? "" : "bad";
  return h("article", { class: "card" }, h("h2", {}, t("camera", { name: camera.name })), facts([
    [t("sees"), t("state_" + camera.state), state],
    [t("wall"), t("wall_" + camera.wall), wall],
    [t("frames_rate"), number(camera.frames_per_s, 1)],
    [t("dropped"), number(camera.dropped_frames)],
    [t("blind_day"), seen ? `${span(camera.blind_s)} (${percent(camera.blind_s / seen, 1)})` : "–", camera.blind_s > 60 ? "warn" : ""],
    [t("restarts"), number(camera.restarts), camera.restarts ? "warn" : ""],
    [t("model"), camera.model ? `${camera.model} · ${camera.model_sha256.slice(0, 8)}` : "–"],
    [t("runtime"), camera.runtime || "–", camera.fallback ? "warn" : ""],
    [t("time_a_frame"), Object.entries(camera.stage_ms).map(([stage, ms]) => `${knows("stage_" + stage) ? t("stage_" + stage) : stage} ${number(ms, 1)} ms`).join(", ") || "–"],
  ]));
}

function deliveryCard(status) {
  const d = status.delivery;
  if (!d.configured) return h("article", { class: "card" }, h("h2", {}, t("delivery")), h("p", { class: "soft" }, t("delivery_none")));
  const ack = d.last_ack_age_s === null ? t("never") : t("ago", { time: span(Math.round(d.last_ack_age_s / 5) * 5) });
  return h("article", { class: "card" }, h("h2", {}, t("delivery")), facts([
    [t("acknowledged"), number(d.acknowledged)],
    [t("waiting"), number(d.waiting), d.waiting > 100 ? "warn" : ""],
    [t("last_ack"), ack, d.last_ack_age_s === null || d.last_ack_age_s > 900 ? "warn" : "good"],
    [t("spool"), t("spool_of", { used: bytes(d.spool_bytes), all: bytes(d.spool_bytes_max) })],
    [t("storage"), t("storage_" + (d.storage || "durable")), { volatile: "bad", full: "warn" }[d.storage] || ""],
    [t("bytes_sent"), bytes(d.bytes_sent)],
  ]));
}

function machineCard(status) {
  const hot = status.temperature_c !== null && status.temperature_c >= 75;
  return h("article", { class: "card" }, h("h2", {}, t("machine")), facts([
    [t("site"), status.site],
    [t("disclosure"), t("disclosure_" + status.disclosure)],
    [t("clock"), t("clock_" + status.clock), { ntp: "good", rtc: "", restored: "warn", unknown: "bad" }[status.clock]],
    [t("temperature"), status.temperature_c === null ? t("not_told") : `${number(status.temperature_c, 0)} °C`, hot ? "warn" : ""],
    [t("uptime"), span(Math.floor(status.uptime_s / 60) * 60)],
    [t("build_label"), status.build],
  ]));
}
