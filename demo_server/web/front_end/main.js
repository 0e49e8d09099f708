// What each button does. Read this module first, then single_flight.js, then the other
// interceptors. The rest is small:
//
//     main.js ──▶ an interceptor ──▶ requests.js ──▶ fetch
//        │               └──▶ messages.js, token_store.js
//        └──▶ view.js: what the page shows

import { articleInterceptor } from "./article_interceptor.js";
import { commonQueue } from "./common_queue.js";
import { noInterceptor } from "./no_interceptor.js";
import { newAction } from "./requests.js";
import { singleFlight } from "./single_flight.js";
import { tokenStore } from "./token_store.js";
import {
  byId, draw, policy, showHome, showNotice, showSource, showTally, userName,
} from "./view.js";

const INTERCEPTORS = {
  "no_interceptor.js": noInterceptor,
  "article_interceptor.js": articleInterceptor,
  "common_queue.js": commonQueue,
  "single_flight.js": singleFlight,
};

const ACTIONS = {
  "Register": register,
  "Log in": logIn,
  "Home": (next) => loadHome(1, next),
  "5 × Home": (next) => loadHome(5, next),
  "10 × Home": (next) => loadHome(10, next),
  "Log out": logOut,
};

/** What all calls of this page pass through. */
let intercept;

async function register(next) {
  const credentials = takeCredentials();
  await accepted(await next({ method: "POST", path: "/users/register", body: credentials }));
  showNotice(`${credentials.username} is registered. Now log in.`);
}

async function logIn(next) {
  const response = await next({ method: "POST", path: "/users/login", body: takeCredentials() });
  const tokens = await accepted(response);
  tokenStore.storeAccessToken(tokens.accessToken);
  tokenStore.storeRefreshToken(tokens.refreshToken);
  greet();
}

/** Make `count` calls at once, and count how each of them ends. */
async function loadHome(count, next) {
  const tally = { calls: count, refreshes: 0, answers: 0, refused: 0, errors: 0, waiting: count };

  function counted(request) {
    if (request.path === "/refresh") tally.refreshes += 1;
    return next(request);
  }

  async function call() {
    try {
      const response = await intercept({ method: "GET", path: "/home" }, counted);
      tally[response.ok ? "answers" : "refused"] += 1;
      showHome((await accepted(response)).message);
      showNotice("The home page is loaded.");
    } catch (error) {
      if (!(error instanceof Refused)) tally.errors += 1;
      showNotice(error.message, "bad");
    }
    tally.waiting -= 1;
    showTally(tally);
  }

  showTally(tally);
  await Promise.all(Array.from({ length: count }, call));
}

async function logOut(next) {
  try {
    // The article's server has no such route: there, a client can only forget its tokens.
    if (policy === "rfc") await intercept({ method: "POST", path: "/logout" }, next);
  } finally {
    tokenStore.deleteTokens();
  }
  greet();
}

/** The server refused a request. */
class Refused extends Error {}

/**
 * What a response holds.
 *
 * @throws {Refused} its status is not one of success.
 */
async function accepted(response) {
  const body = await response.json().catch(() => ({ message: response.statusText }));
  if (response.ok) return body;
  throw new Refused(`Refused (${response.status}): ${body.message}`);
}

/** What is in the form. The password leaves its field as soon as it is used. */
function takeCredentials() {
  // Some keyboards write a letter and its accent as two characters, which the server refuses.
  const username = byId("username").value.normalize("NFC");
  const password = byId("password").value;
  byId("password").value = "";
  return { username, password };
}

/** Say who is logged in. */
function greet() {
  const name = userName();
  showHome("Press Home to load this page.");
  showNotice(name ? `${name} is logged in.` : "You are logged out.");
}

/** Run what a button does, as one user action. */
async function run(action) {
  try {
    await action(newAction(draw));
  } catch (error) {
    showNotice(error.message, "bad");
  }
  draw();
}

/** A new interceptor: a flag that was up is down again. */
function choose() {
  const module = byId("interceptor").value;
  intercept = INTERCEPTORS[module](tokenStore);
  showSource(module);
}

for (const button of document.querySelectorAll("button[type=button]")) {
  button.addEventListener("click", () => run(ACTIONS[button.textContent]));
}
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  run(ACTIONS["Log in"]);
});
byId("interceptor").addEventListener("change", choose);
window.addEventListener("storage", draw); // another tab has changed the store
setInterval(draw, 1000);

choose();
if (userName()) greet();
else showNotice("Register, then log in.");
draw();
