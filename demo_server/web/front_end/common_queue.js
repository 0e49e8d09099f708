// The queue of many interceptors: a flag `isRefreshing`, and a list of calls that wait. With RxJS
// the list is a BehaviorSubject; with axios it is often called `failedQueue`.
//
// It has two faults (lesson 05):
// - a refused refresh throws before the calls in the list are resumed, so they wait forever;
// - a call that is refused after the refresh finds the flag down, and refreshes again.

import { mayHaveExpired, refresh, withBearer } from "./messages.js";

export function commonQueue(store) {
  let isRefreshing = false;
  let waiting = [];

  return async function intercept(request, next) {
    const accessToken = store.getAccessToken();
    const response = await next(withBearer(request, accessToken));
    if (!accessToken || !(await mayHaveExpired(response))) return response;

    if (isRefreshing) {
      await new Promise((resume) => waiting.push(resume));
    } else {
      isRefreshing = true;
      try {
        await refresh(store, next);
      } finally {
        isRefreshing = false;
      }
      waiting.forEach((resume) => resume());
      waiting = [];
    }
    return next(withBearer(request, store.getAccessToken()));
  };
}
