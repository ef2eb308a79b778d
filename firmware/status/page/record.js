// What left this device: each message in clear, as it was sealed.

import { byId, h, show } from "/elements.js";
import { bytes, current, day, hour, number, t } from "/words.js";

export function showRecord(list) {
  const place = byId("sent");
  place.className = "stack";
  const open = new Set([...place.querySelectorAll("details[open]")].map((each) => each.id));
  show(place, [current(), list.payloads.map((each) => [each.stream, each.seq, each.acknowledged])], () => list.payloads.length
    ? list.payloads.map((each) => message(each, open))
    : h("p", { class: "card soft" }, t("sent_nothing")));
}

function message(payload, open) {
  const id = `sent-${payload.stream}-${payload.seq}`;
  const sealed = new Date(Date.now() - 1000 * payload.age_s);
  return h("details", { class: "card batch", id, open: open.has(id) },
    h("summary", {},
      h("b", {}, `${t("kind_" + payload.kind)} ${number(payload.seq)}`),
      h("span", { class: "tag" }, t(payload.acknowledged ? "ack_yes" : "ack_no")),
      h("span", { class: "soft" }, `${summary(payload)} · ${hour(sealed)}`),
      h("span", { class: "soft number" }, bytes(payload.bytes))),
    h("div", { class: "body" }, tables(payload), h("div", {}, h("h3", {}, t("all_of_it")),
      h("pre", { tabindex: "0", "aria-label": t("all_of_it") }, JSON.stringify(payload.content, null, 1)))));
}

function summary({ kind, content }) {
  if (kind === "batch") return t("sum_batch", { windows: content.windows.length, events: content.events.length });
  if (kind === "hour") return t("sum_hour", { windows: content.windows });
  if (kind === "health") return t("sum_health", { cameras: content.cameras.length });
  if (kind === "anchor") return t("sum_anchor");
  return t("sum_gap");
}

function tables({ kind, content }) {
  const windows = kind === "batch" ? content.windows : kind === "hour" ? [content.sums] : [];
  const rows = windows.flatMap((window) => [...window.lines, ...window.zones].map((sums) => [window, sums]))
    .filter(([, sums]) => sums.entries || sums.exits || sums.occupancy_max);
  if (!rows.length) return h("p", { class: "soft" }, windows.length ? t("sum_empty") : "");
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("sum_table") }, h("table", {},
    h("thead", {}, h("tr", {}, ["where", "in", "out", "most"].map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, rows.map(([, sums]) => h("tr", {}, h("th", { scope: "row" }, sums.name), h("td", {}, number(sums.entries)), h("td", {}, number(sums.exits)), h("td", {}, sums.occupancy_max ?? "–"))))));
}

export { day };
