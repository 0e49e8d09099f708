// The article's interceptor with its logic unchanged: Angular's `intercept`, written with `await`.
//
// Its flag `refresh` has two faults (lesson 04):
// - it is set when a refresh begins and never reset when it succeeds, so every second expiry fails;
// - all calls share it: of calls that expire together, every second one fails.
//
// The refresh passes through the interceptor itself, as in the article, and a refused refresh
// leaves both tokens in the store.

import { refreshRequest, withBearer } from "./messages.js";

export function articleInterceptor(store) {
  let refresh = false;

  return async function intercept(request, next) {
    const accessToken = store.getAccessToken();
    if (!accessToken) return next(request);

    const response = await next(withBearer(request, accessToken));
    if (response.ok) return response;

    // The article knows 403 only. 401 is what a server with the policy `rfc` says instead.
    if ((response.status === 403 || response.status === 401) && !refresh) {
      refresh = true;
      const answer = await intercept(refreshRequest(store.getRefreshToken()), next);
      if (!answer.ok) return answer;

      const newAccessToken = (await answer.json()).accessToken;
      store.storeAccessToken(newAccessToken);
      return next(withBearer(request, newAccessToken));
    }
    refresh = false;
    return response;
  };
}
