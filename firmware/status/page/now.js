// Counts, queues and curves: what a shop wants to know at a glance.

import { barChart, buckets, dayLabel, dayTick, hourLabel, hourTick, hoursOfToday, lastSevenDays, tableOf } from "/charts.js";
import { byId, h, show } from "/elements.js";
import { current, day, hour, number, span, t } from "/words.js";

export function showNow(status, history) {
  const place = byId("now");
  if (!place.firstChild) place.append(h("div", { class: "grid", id: "counts" }), h("div", { class: "two", id: "curves" }));
  place.className = "stack";
  showCounts(byId("counts"), status, history);
  if (history) showCurves(byId("curves"), history);
}

function showCounts(place, status, history) {
  const today = history ? totalsOfToday(status, history) : new Map();
  const cards = status.cameras.flatMap((camera) => [
    ...(camera.live.lines.length ? [insideCard(camera, status)] : []),
    ...camera.live.lines.map((line) => lineCard(camera, line, today.get(key(camera.name, line.name)), status, history)),
    ...camera.live.zones.map((zone) => zoneCard(camera, zone, today.get(key(camera.name, zone.name)), status)),
  ]);
  show(place, [current(), cards], () => cards.length ? cards.map(drawCard) : h("p", { class: "card soft" }, t("nothing_counted")));
}

function drawCard(card) {
  return h("article", { class: `card count ${card.kind}` },
    h("p", { class: "kind" }, h("i", { "aria-hidden": "true" }), card.label),
    h("h2", {}, card.name),
    h("dl", { class: "figures" }, card.figures.map(([name, value, style]) => h("div", { class: style }, h("dt", {}, name), h("dd", {}, value)))),
    h("p", { class: "hint" }, card.hint));
}

const several = (status) => status.cameras.length > 1;
const named = (camera, status, text) => several(status) ? `${text} · ${camera.name}` : text;

function insideCard(camera, status) {
  const drift = camera.live.drift;
  return { kind: "inside", label: named(camera, status, t("inside_by_doors")), name: t("inside"),
    figures: [[t("people"), number(camera.live.inside), ""]], hint: drift ? t("drift", { n: number(drift) }) : t("inside_hint") };
}

function lineCard(camera, line, today, status, history) {
  const since = history ? firstSeen(history) : null;
  const hint = since ? t("since", { time: since }) : "";
  return { kind: "line", label: named(camera, status, t("line")), name: line.name, hint,
    figures: [[t("in_today"), number(today ? today.entries : line.entries), "in"], [t("out_today"), number(today ? today.exits : line.exits), "out"]] };
}

function zoneCard(camera, zone, today, status) {
  const queue = zone.kind === "queue";
  const figures = [[t(queue ? "waiting_now" : "here_now"), number(zone.count), ""]];
  if (queue) figures.push([t("wait"), zone.wait_estimate_ms === null ? "–" : span(zone.wait_estimate_ms / 1000), "small"]);
  figures.push([t(queue ? "joined_today" : "visits_today"), number(today ? today.entries : 0), "small"]);
  let hint = "";
  if (queue && zone.wait_estimate_ms === null && zone.longest_wait_ms !== null) hint = t("longest", { time: span(zone.longest_wait_ms / 1000) });
  else if (today && today.waits) hint = t("mean_wait", { time: span(today.waited / today.waits) });
  return { kind: zone.kind, label: named(camera, status, t(zone.kind)), name: zone.name, figures, hint };
}

const key = (camera, name) => JSON.stringify([camera, name]);

// Closed windows of today, and the window still open: exact to the second.
function totalsOfToday(status, history) {
  const midnight = new Date(); midnight.setHours(0, 0, 0, 0);
  const bounds = [[midnight.getTime(), Infinity]];
  const totals = new Map(history.rows.map((row) => [key(row.camera, row.name), buckets(history, bounds, (each) => each === row)[0]]));
  for (const camera of status.cameras) {
    for (const sums of [...(camera.open?.lines ?? []), ...(camera.open?.zones ?? [])]) {
      const total = totals.get(key(camera.name, sums.name));
      if (total) { total.entries += sums.entries; total.exits += sums.exits; }
    }
  }
  return totals;
}

function firstSeen(history) {
  const oldest = Math.max(0, ...history.seen.map(([slot]) => slot));
  const began = new Date(Date.now() - 1000 * (history.age_s + oldest * history.slot_s));
  const midnight = new Date(); midnight.setHours(0, 0, 0, 0);
  return history.seen.length && began > midnight ? hour(began) : null;
}

function showCurves(place, history) {
  const doors = (row) => row.kind === "line";
  const today = { bounds: hoursOfToday(), title: t("today") };
  const week = { bounds: lastSevenDays(), title: t("week") };
  today.sums = buckets(history, today.bounds, doors);
  week.sums = buckets(history, week.bounds, doors);
  const open = [...place.querySelectorAll("details")].map((each) => each.open);
  const changed = show(place, [current(), today.sums, week.sums, new Date().getHours()], () => [
    curve({ ...today, label: hourLabel, tickLabel: hourTick, tick: (n) => n % 3 === 0, first: t("hour") }),
    curve({ ...week, label: dayLabel, tickLabel: dayTick, tick: () => true, first: t("day") }),
  ]);
  if (changed) place.querySelectorAll("details").forEach((each, n) => { each.open = open[n] ?? false; });
}

function curve(parts) {
  const entries = parts.sums.reduce((all, sum) => all + sum.entries, 0);
  const busiest = parts.sums.reduce((best, sum, n) => sum.entries > (parts.sums[best]?.entries ?? 0) ? n : best, -1);
  const words = busiest < 0 ? t("nobody_yet") : t("busiest", { when: parts.label(parts.bounds[busiest][0]), n: number(parts.sums[busiest].entries) });
  return h("article", { class: "card" },
    h("div", { class: "head" }, h("h2", {}, parts.title), h("p", { class: "legend" }, h("span", {}, t("in")), h("span", { class: "out" }, t("out")), h("span", { class: "blind" }, t("blind")))),
    barChart({ ...parts, label: parts.tickLabel }),
    h("p", { class: "hint" }, `${t("in_total", { n: number(entries) })} · ${words}`),
    tableOf(parts));
}

export { day };
