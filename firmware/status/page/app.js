// Where the page begins: language, session, which view is shown, and the one stream that feeds them all.

import { Refused, listen, session, signIn, signOut } from "/api.js";
import { showDevice, showWarnings } from "/device.js";
import { closeEditor, openEditor, showPresence, showRoom } from "/editor.js";
import { byId, h, show, toast } from "/elements.js";
import { closeFloor, openFloor } from "/floor.js";
import { showNow } from "/now.js";
import { showRecord } from "/record.js";
import { current, preferred, speak, t } from "/words.js";
import { showWalk } from "/walk.js";

const VIEWS = ["now", "floor", "device", "sent", "setup"];
const seen = { signedIn: false, status: null, history: null, sent: null, walk: null, notice: null };
let stop = null;

async function begin() {
  const language = preferred();
  await speak(language);
  byId("language").value = language;
  byId("language").addEventListener("change", async (event) => { await speak(event.target.value); redraw(); if (seen.signedIn) await enter(view(), false); });
  byId("sign-in").addEventListener("submit", submit);
  byId("sign-out").addEventListener("click", leave);
  addEventListener("hashchange", () => route(true));
  addEventListener("pagehide", () => { stop?.(); closeFloor(); });
  document.addEventListener("visibilitychange", () => { if (!seen.signedIn) return; if (document.hidden) closeFloor(); else if (view() === "floor") openFloor(check); });
  const shown = new URLSearchParams(location.hash.slice(1)).get("token");
  if (shown) history.replaceState(null, "", location.pathname);  // a token has no business in the history
  seen.notice = await (await fetch("/api/public")).json();
  if (shown) await open(shown);
  else if ((await session()).authenticated) await enterAll();
  else showSignIn();
  document.documentElement.dataset.ready = "yes";
}

async function submit(event) {
  event.preventDefault();
  await open(byId("token").value);
}

async function open(token) {
  byId("sign-in-error").textContent = "";
  try {
    await signIn(token);
    byId("token").value = "";
    await enterAll();
  } catch (error) {
    showSignIn();
    byId("sign-in-error").textContent = error instanceof Refused ? t("refused_" + error.error) : t("unreachable");
  }
}

async function enterAll() {
  seen.signedIn = true;
  document.body.classList.add("signed-in");
  byId("tabs").hidden = false;
  byId("sign-out").hidden = false;
  stop?.();
  stop = listen("/api/stream", {
    status: (status) => { seen.status = status; redraw(); },
    history: (history) => { seen.history = history; redraw(); },
    sent: (sent) => { seen.sent = sent; redraw(); },
    walk: (walk) => { seen.walk = walk; redraw(); },
    room: showRoom,
    lost: () => pill("lost"),
  }, check);
  await route(false);
}

async function leave() {
  await signOut().catch(() => {});
  forget();
}

async function check() {
  const now = await session().catch(() => ({ authenticated: false }));
  if (now.authenticated) return;
  forget();
  toast(t("session_over"));
}

function forget() {
  stop?.(); stop = null;
  closeFloor(); closeEditor();
  Object.assign(seen, { signedIn: false, status: null, history: null, sent: null, walk: null });
  for (const id of ["now", "floor", "device", "sent", "presence", "editor", "walk"]) { byId(id).replaceChildren(); delete byId(id).dataset.shown; }
  byId("site").textContent = "";
  showSignIn();
}

const view = () => VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "now";

async function route(byHand) {
  if (location.hash === "#main") return;
  if (!seen.signedIn) { showSignIn(); return; }
  await enter(view(), byHand);
}

async function enter(name, byHand) {
  if (name !== "floor") closeFloor();
  if (name !== "setup") closeEditor();
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `view-${name}`;
  for (const link of document.querySelectorAll("#tabs a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  document.title = `${t("tab_" + name)} · Passerby`;
  redraw();
  try {
    if (name === "floor") await openFloor(check);
    if (name === "setup") { await openEditor(); redraw(); }
  } catch (error) {
    toast(error.message);
    await check();
  }
  if (byHand) { byId(`h-${name}`).focus({ preventScroll: true }); scrollTo(0, 0); }
}

function showSignIn() {
  document.body.classList.remove("signed-in");
  byId("tabs").hidden = true;
  byId("sign-out").hidden = true;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== "view-sign-in";
  document.title = "Passerby";
  redraw();
}

function redraw() {
  const status = seen.status;
  if (!seen.signedIn) {
    if (seen.notice) { pill(seen.notice.state); showNotice(seen.notice); }
    return;
  }
  if (!status) return;
  pill(status.state);
  byId("site").textContent = status.site;
  byId("build").textContent = t("build", { build: status.build });
  showWarnings(status);
  const name = view();
  if (name === "now") showNow(status, seen.history);
  if (name === "device") showDevice(status);
  if (name === "sent" && seen.sent) showRecord(seen.sent);
  if (name === "setup") { showPresence(status); showWalk(seen.walk, status); }
}

function pill(state) {
  const place = byId("state");
  const words = t("pill_" + state);
  place.className = `pill ${state === "lost" ? "warn" : state}`;
  const text = place.querySelector("span");
  if (text.textContent !== words) text.textContent = words;
}

function showNotice(notice) {
  byId("build").textContent = t("build", { build: notice.build });
  show(byId("notice"), [current(), notice], () => [
    h("h2", {}, t("notice_title")),
    notice.purpose && h("p", {}, h("b", {}, `${t("purpose")}: `), notice.purpose),
    h("ul", {}, ["notice_frames", "notice_wall", `notice_${notice.disclosure}`, "notice_sealed"].map((key) => h("li", {}, t(key)))),
    h("p", { class: "hint" }, t("notice_trust")),
  ]);
}

begin();
