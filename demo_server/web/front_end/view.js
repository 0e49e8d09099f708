// What the page shows. The store decides whether that is the login page or the home page. All text
// is set as text and never as markup, because users choose their names.

import { sent } from "./requests.js";
import { tokenStore } from "./token_store.js";

/** The server's policy: "article" or "rfc". */
export const { policy } = document.documentElement.dataset;

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

export function showNotice(text, kind = "") {
  byId("notice").className = kind;
  setText(byId("notice"), text);
}

export function showHome(text) {
  setText(byId("message"), text);
}

export function showSource(module) {
  byId("source").href = module;
  setText(byId("source"), module);
}

/** Show the numbers of a tally, in the order of its keys. */
export function showTally(tally) {
  const places = document.querySelectorAll("#tally dd");
  Object.values(tally).forEach((number, at) => setText(places[at], String(number)));
}

/** The user of the access token in the store; undefined if nobody is logged in. */
export function userName() {
  const claims = claimsOf(tokenStore.getAccessToken());
  return claims.username ?? claims.sub; // in the article, with the policy `rfc`
}

/** Draw what time, the store and the requests change. */
export function draw() {
  const empty = !tokenStore.getRefreshToken();
  byId("login").hidden = !empty;
  byId("home").hidden = empty;
  byId("empty").hidden = !empty;
  followServerClock();
  drawToken(byId("accessToken"), tokenStore.getAccessToken());
  drawToken(byId("refreshToken"), tokenStore.getRefreshToken());
  drawRequests();
}

function drawToken(card, token) {
  card.hidden = !token;
  const { iat, exp } = claimsOf(token);
  const left = Math.max(0, Math.ceil(exp - serverNow()));
  setText(card.querySelector("span"), left ? `${left} s of ${exp - iat} s left` : "expired");
  const bar = card.querySelector("progress");
  bar.max = exp - iat || 1;
  bar.value = left || 0;
}

let drawn = "";

function drawRequests() {
  const now = JSON.stringify(sent);
  if (now === drawn) return;
  drawn = now;
  const rows = sent.map(({ method, path, status, id }, at) => {
    const made = row([method, path, status, id]);
    if (id !== sent[at - 1]?.id) made.className = "first";
    if (status !== "…") made.cells[2].className = status < 400 ? "good" : "bad";
    return made;
  });
  const box = byId("requests");
  box.querySelector("tbody").replaceChildren(...rows);
  box.scrollTop = box.scrollHeight;
}

// The server's clock can be ahead of this browser's: in the lab it is moved by hand. A client sees
// that only when a token arrives, from the time of its issue.

const AHEAD = "serverClockIsAhead"; // in seconds; kept for a reload, beside the tokens

let known = tokenStore.getAccessToken();

function followServerClock() {
  const token = tokenStore.getAccessToken();
  if (token === known) return;
  known = token;
  if (token) localStorage.setItem(AHEAD, claimsOf(token).iat - Date.now() / 1000);
}

function serverNow() {
  return Date.now() / 1000 + Number(localStorage.getItem(AHEAD));
}

/** The claims of a token, which anyone can read; {} of what is no token. */
function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function row(texts) {
  const made = document.createElement("tr");
  for (const text of texts) made.insertCell().textContent = text;
  return made;
}

/** Equal texts are left alone: a screen reader would say them again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
