// Single flight: one shared promise. The first call that needs a refresh starts it, and every call
// that needs the same refresh awaits the same promise. It settles once, for all of them: with a new
// token, or with an error.
//
// No lock is needed: between two `await`s, no other code runs. So nothing can come between the
// question "is it still my token?" and the assignment below it.

import { LoginRequired, mayHaveExpired, refresh, withBearer } from "./messages.js";

export function singleFlight(store) {
  let refreshing = null;

  return async function intercept(request, next) {
    const accessToken = store.getAccessToken();
    const response = await next(withBearer(request, accessToken));
    if (!accessToken || !(await mayHaveExpired(response))) return response;

    // If the token that was refused has left the store, another call has refreshed meanwhile.
    if (store.getAccessToken() === accessToken) {
      refreshing ??= refresh(store, next).finally(() => { refreshing = null; });
      await refreshing;
    }

    const newAccessToken = store.getAccessToken();
    if (!newAccessToken) throw new LoginRequired();
    return next(withBearer(request, newAccessToken));
  };
}
