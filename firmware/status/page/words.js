// Languages: plain files of words, one a language, all with the same keys. Numbers and times as the language writes them.

const LANGUAGES = ["en", "de"];
let words = {};
let language = "en";
let found = [];  // what the device says in English, as patterns: [key, pattern]

export function preferred() {
  const kept = remembered();
  if (LANGUAGES.includes(kept)) return kept;
  return (navigator.languages || []).map((each) => each.slice(0, 2)).find((each) => LANGUAGES.includes(each)) || "en";
}

export async function speak(code) {
  const answer = await fetch(`/words/${LANGUAGES.includes(code) ? code : "en"}.json`);
  words = await answer.json();
  language = code;
  if (code !== "en" && !found.length) found = patterns(await (await fetch("/words/en.json")).json());
  document.documentElement.lang = code;
  try { localStorage.setItem("language", code); } catch { /* a browser that keeps nothing: asked again next time */ }
  for (const element of document.querySelectorAll("[data-w]")) element.textContent = t(element.dataset.w);
  for (const element of document.querySelectorAll("[data-w-label]")) element.setAttribute("aria-label", t(element.dataset.wLabel));
}

function remembered() {
  try { return localStorage.getItem("language"); } catch { return null; }
}

export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

// The device's findings are English sentences with numbers and names in them. Those that the files know (found_...) are said in the
// page's language, their parts too; others stay as they are.
export function said(text, part = false) {
  if (language === "en") return text;
  for (const [key, pattern] of found) {
    const match = pattern.exec(text);
    if (match) return t(key, Object.fromEntries(Object.entries(match.groups || {}).map(([name, value]) => [name, said(value, true)])));
  }
  return part && text.includes(", ") ? text.split(", ").map((each) => said(each, true)).join(", ") : text;
}

function patterns(english) {
  const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return Object.entries(english).filter(([key]) => key.startsWith("found_")).map(([key, text]) => [key, new RegExp(
    `^${escaped(text).replace(/\{(\w+)\}/g, (_, name) => (name.length === 1 && name > "f" ? `(?<${name}>[\\d.%]+)` : `(?<${name}>.+)`))}$`)]);
}

export const knows = (key) => key in words;
export const current = () => language;
export const number = (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
export const percent = (share, digits = 0) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);
export const hour = (date) => new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(date);
export const day = (date, long) => new Intl.DateTimeFormat(language, { weekday: long ? "long" : "short", day: "numeric", month: long ? "long" : undefined }).format(date);

export function span(seconds) {
  if (seconds === null || seconds === undefined) return t("unknown");
  const s = Math.round(seconds);
  if (s < 60) return t("seconds", { n: s });
  if (s < 3600) return t("minutes", { n: Math.floor(s / 60), s: String(s % 60).padStart(2, "0") });
  if (s < 86400) return t("hours", { n: Math.floor(s / 3600), m: String(Math.floor((s % 3600) / 60)).padStart(2, "0") });
  return t("days", { n: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

export function bytes(count) {
  if (count < 1024) return `${number(count)} B`;
  if (count < 1024 * 1024) return `${number(count / 1024, 1)} KiB`;
  return `${number(count / 1024 / 1024, 1)} MiB`;
}
