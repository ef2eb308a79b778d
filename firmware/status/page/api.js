// How the page asks the device: same origin only, JSON only, and each change carries the session's second secret.

let csrf = "";

export class Refused extends Error {
  constructor(status, body) {
    super(body.what || String(status));
    this.status = status;
    this.error = body.error || "";
  }
}

export async function ask(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-Passerby-CSRF"] = csrf;
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, value);
  return value;
}

export async function session() {
  const now = await ask("GET", "/api/session");
  csrf = now.csrf;
  return now;
}

export async function signIn(token) {
  const now = await ask("POST", "/api/session", { token });
  csrf = now.csrf;
  return now;
}

export async function signOut() {
  await ask("DELETE", "/api/session");
  csrf = "";
}

// A stream that comes back by itself; `over` is told when the session is.
export function listen(path, hears, over) {
  const source = new EventSource(path);
  for (const [event, hear] of Object.entries(hears)) source.addEventListener(event, (message) => hear(JSON.parse(message.data)));
  source.addEventListener("over", () => { source.close(); over(); });
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) over(); hears.lost?.(); });
  return () => source.close();
}
