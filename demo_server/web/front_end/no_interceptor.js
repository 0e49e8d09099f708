// No interceptor: the request carries its token, and the caller gets whatever the server answers.
// After a minute that is a refusal. Compare with article_interceptor.js.

import { withBearer } from "./messages.js";

export function noInterceptor(store) {
  return (request, next) => next(withBearer(request, store.getAccessToken()));
}
