// What the interceptors share: how a request carries its token, which refusal may mean that the
// token has expired, and what a refresh does. Read an interceptor first, such as single_flight.js.
//
// An interceptor is made once, with the token store. It gets each request, and `next`, which sends
// one: Angular's interceptors have the same two arguments.
//
//     const intercept = singleFlight(tokenStore);
//     const response = await intercept({ method: "GET", path: "/home" }, next);

/** The session has ended. */
export class LoginRequired extends Error {
  constructor() {
    super("Your session has ended. Log in again.");
  }
}

/** The same request with the access token in its header (RFC 6750, section 2.1). */
export function withBearer(request, accessToken) {
  if (!accessToken) return request;
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${accessToken}` } };
}

/** The request for a new access token. The refresh token is in its body. */
export function refreshRequest(refreshToken) {
  return { method: "POST", path: "/refresh", body: { token: refreshToken } };
}

/** May the token have expired? The article's server says 403, RFC 6750 says 401. */
export async function mayHaveExpired(response) {
  if (response.status !== 401 && response.status !== 403) return false;
  // The token is valid, but its user may not do this: a new one would have the same rights.
  return (await errorCode(response)) !== "insufficient_scope";
}

/**
 * Refresh, and store what the server returns.
 *
 * @throws {LoginRequired} the refresh token was refused, and the store is empty now; or the user
 *   has logged out meanwhile.
 */
export async function refresh(store, next) {
  const refreshToken = store.getRefreshToken();
  if (!refreshToken) throw new LoginRequired();

  const response = await next(refreshRequest(refreshToken));
  if (store.getRefreshToken() !== refreshToken) throw new LoginRequired();
  if ([400, 401, 403].includes(response.status)) {
    store.deleteTokens();
    throw new LoginRequired();
  }
  if (!response.ok) {
    throw new Error(`The refresh was answered with ${response.status}: try again in a moment`);
  }
  const tokens = await response.json();
  store.storeAccessToken(tokens.accessToken);
  if (tokens.refreshToken) store.storeRefreshToken(tokens.refreshToken); // the server rotates
}

/** The `error` of a refusal, or undefined. The response can still be read afterwards. */
async function errorCode(response) {
  try {
    return (await response.clone().json()).error;
  } catch {
    return undefined; // the answer of something else, such as a proxy
  }
}
