// Curves: bars for coming and going, drawn as SVG, with the same numbers as a table for who does not see bars.

import { h, svg } from "/elements.js";
import { day, hour, number, t } from "/words.js";

const WIDTH = 640, HEIGHT = 220, LEFT = 34, BOTTOM = 28, TOP = 8;

// Slots with their ages become buckets of the viewer's own hours or days: the device's wall clock need not be right.
export function buckets(history, bounds, pick) {
  const sums = bounds.map(() => ({ entries: 0, exits: 0, most: 0, waits: 0, waited: 0, observed: 0, blind: 0 }));
  const now = Date.now();
  const began = (slot) => now - 1000 * (history.age_s + slot * history.slot_s);
  const at = (slot) => {
    const middle = began(slot) + 500 * (slot === 0 ? history.age_s : history.slot_s);
    return bounds.findIndex(([from, to]) => from <= middle && middle < to);
  };
  for (const row of history.rows.filter(pick)) {
    for (const [slot, entries, exits, most, waits, waited] of row.cells) {
      const sum = sums[at(slot)];
      if (!sum) continue;
      sum.entries += entries; sum.exits += exits; sum.waits += waits; sum.waited += waited;
      sum.most = Math.max(sum.most, most);
    }
  }
  for (const [slot, observed, blind] of history.seen) {
    const sum = sums[at(slot)];
    if (sum) { sum.observed += observed; sum.blind += blind; }
  }
  return sums;
}

export function hoursOfToday() {
  const midnight = new Date(); midnight.setHours(0, 0, 0, 0);
  return Array.from({ length: 24 }, (_, n) => {
    const from = new Date(midnight); from.setHours(n);
    const to = new Date(midnight); to.setHours(n + 1);
    return [from.getTime(), to.getTime()];
  });
}

export function lastSevenDays() {
  return Array.from({ length: 7 }, (_, n) => {
    const from = new Date(); from.setHours(0, 0, 0, 0); from.setDate(from.getDate() - 6 + n);
    const to = new Date(from); to.setDate(to.getDate() + 1);
    return [from.getTime(), to.getTime()];
  });
}

export function barChart({ bounds, sums, label, tick, title }) {
  const top = niceTop(Math.max(4, ...sums.map((sum) => Math.max(sum.entries, sum.exits))));
  const width = (WIDTH - LEFT) / sums.length;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const total = sums.reduce((all, sum) => [all[0] + sum.entries, all[1] + sum.exits], [0, 0]);
  const now = Date.now();
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": t("chart_label", { title, in: number(total[0]), out: number(total[1]) }) });
  for (const share of [0, 0.5, 1]) {
    picture.append(svg("line", { class: share ? "axis" : "base", x1: LEFT, x2: WIDTH, y1: y(top * share), y2: y(top * share) }),
      svg("text", { x: LEFT - 6, y: y(top * share) + 4, "text-anchor": "end" }, number(top * share)));
  }
  sums.forEach((sum, n) => {
    const x = LEFT + n * width, half = Math.max(1.5, width * 0.34);
    if (bounds[n][0] <= now && now < bounds[n][1]) {
      picture.prepend(svg("rect", { class: "now", x, y: TOP, width, height: HEIGHT - TOP - BOTTOM, rx: 4 }));
    }
    picture.append(bar("in", x + width / 2 - half - 0.5, y(sum.entries), half, y(0)), bar("out", x + width / 2 + 0.5, y(sum.exits), half, y(0)));
    if (sum.blind > 60) picture.append(svg("rect", { class: "blind", x: x + 1, y: y(0) + 2, width: Math.max(1, (width - 2) * Math.min(1, sum.blind / (sum.blind + sum.observed))), height: 3, rx: 1.5 }));
    if (tick(n)) picture.append(svg("text", { x: x + width / 2, y: HEIGHT - 4, "text-anchor": "middle" }, label(bounds[n][0])));
  });
  return picture;
}

export function tableOf({ bounds, sums, label, title, first }) {
  const rows = sums.map((sum, n) => [label(bounds[n][0]), sum.entries, sum.exits, sum.blind]);
  return h("details", { class: "table" }, h("summary", {}, t("as_table")), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    h("table", {}, h("caption", {}, title),
      h("thead", {}, h("tr", {}, [first, t("in"), t("out"), t("blind_s")].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map(([name, ...values]) => h("tr", {}, h("th", { scope: "row" }, name), values.map((value) => h("td", {}, number(value)))))))));
}

export const hourLabel = (ms) => hour(new Date(ms));
export const hourTick = (ms) => String(new Date(ms).getHours());
export const dayLabel = (ms) => day(new Date(ms), true);
export const dayTick = (ms) => day(new Date(ms), false);

function bar(kind, x, top, width, base) {
  return svg("rect", { class: kind, x, y: Math.min(top, base), width, height: Math.max(0, base - top), rx: Math.min(3, width / 2) });
}

function niceTop(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map((n) => n * step).find((n) => n >= value);
}
