// How a request is sent: `fetch`, to the server that served this page, with the X-Request-ID of the
// user's action. The server repeats the id in its events, so they can be found in the notebook's
// log.

/** What was sent, oldest first: { method, path, id, status }. The status is "…" until it is known. */
export const sent = [];

const MOST = 60;

/**
 * The `next` of one user action.
 *
 * @param {Function} onChange called when a request is sent and when it is answered.
 * @returns {Function} sends a request { method, path, headers, body }, returns fetch's promise.
 */
export function newAction(onChange) {
  const id = newId();

  return async function send({ method, path, headers, body }) {
    const entry = { method, path, id, status: "…" };
    sent.push(entry);
    sent.splice(0, sent.length - MOST);
    onChange();
    try {
      const response = await fetch(urlOf(path), {
        method,
        headers: {
          ...headers,
          "X-Request-ID": id,
          ...(body && { "Content-Type": "application/json" }),
        },
        body: body && JSON.stringify(body),
        cache: "no-store",
      });
      entry.status = response.status;
      return response;
    } catch {
      entry.status = "no response";
      throw new Error("The server cannot be reached. Is its notebook still running?");
    } finally {
      onChange();
    }
  };
}

/** The address of a route. This module is at …/app/requests.js, and the routes are one level up. */
function urlOf(path) {
  return new URL(`..${path}`, import.meta.url);
}

/** Twelve hexadecimal digits, as the server and the notebook's client choose them. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
