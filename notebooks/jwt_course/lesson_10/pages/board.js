// The page of the notice board. `places` says where it can keep the tokens; the hole is at the end.

const places = {
  localStorage: {
    async logIn(credentials) {
      const tokens = await send("POST", "/users/login", { body: credentials });
      localStorage.setItem("accessToken", tokens.accessToken);
      localStorage.setItem("refreshToken", tokens.refreshToken);
    },
    async home() {
      const token = localStorage.getItem("accessToken");
      return (await send("GET", "/home", { token })).message;
    },
  },

  memory: {
    async logIn(credentials) {
      inMemory = await send("POST", "/users/login", { body: credentials });
    },
    async home() {
      return (await send("GET", "/home", { token: inMemory?.accessToken })).message;
    },
  },

  cookie: {
    // The browser keeps the tokens. The answer has none.
    logIn: (credentials) => send("POST", "/cookie/login", { body: credentials }),
    async home() {
      const { message, note } = await send("GET", "/cookie/home");
      return note ? `${message}. Your note: ${note}` : message;
    },
  },
};

/** The tokens, for as long as the page is open. A module's variables belong to no other script. */
let inMemory = null;

/** Send a request to this page's own server; return the JSON of the response. */
async function send(method, path, { body, token } = {}) {
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers["Authorization"] = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`Refused (${response.status}): ${answer.message}`);
  return answer;
}

const byId = (id) => document.getElementById(id);

async function run(action) {
  try {
    byId("notice").textContent = await action(places[byId("place").value]);
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const credentials = { username: byId("username").value, password: byId("password").value };
  byId("password").value = "";
  run(async (place) => {
    await place.logIn(credentials);
    return `${credentials.username} is logged in.`;
  });
});
byId("home").addEventListener("click", () => run((place) => place.home()));

// The choice is in the address, so it survives a reload.
byId("place").addEventListener("change", () => { location.hash = byId("place").value; });
if (location.hash.slice(1) in places) byId("place").value = location.hash.slice(1);

for (const message of await send("GET", "messages")) {
  const entry = document.createElement("p");
  entry.innerHTML = message; // The hole: a message becomes part of the page. Write textContent.
  byId("messages").append(entry);
}
