// One refresh for all tabs of an origin: each tab looks into the store once it has the lock.
async function refreshUnderLock(refused, send) {
  return navigator.locks.request("refresh", async () => {
    const held = localStorage.getItem("refreshToken");
    if (held !== refused) return; // another tab has refreshed: adopt what it stored
    const fresh = await send(held);
    localStorage.setItem("accessToken", fresh.accessToken);
    localStorage.setItem("refreshToken", fresh.refreshToken);
  });
}
