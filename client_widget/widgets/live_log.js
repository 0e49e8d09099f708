// The live log. The Python side is live_log.py.
//
// Messages from Python: {type: "rows", rows} adds rows to every view. The others answer one view,
// whose id they carry: {type: "reset", rows} replaces all rows, {type: "details"} has the details
// of a row, {type: "file"} is a file to save.
// Messages to Python: "hello" asks for a reset, "open" for details, "save" for a file.
// All text is set as text, so what a user typed is never markup.

const MAX_ROWS = 1000;

function create(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function button(label, act) {
  const element = create("button", "lab-tool jupyter-button", label);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** A row: a summary, and details that open on a click. */
function draw(row, first, ask) {
  const element = create("details", `lab-row lab-${row.tone}${first ? " lab-first" : ""}`);
  element.dataset.seq = row.seq;
  element.dataset.source = row.source;
  if (!["client", "server", "panel"].includes(row.source)) {
    // One of several clients: its own colour, the same in every view.
    let hue = 0;
    for (const letter of row.source) hue = (hue * 31 + letter.codePointAt(0)) % 360;
    element.style.setProperty("--lab-hue", hue);
    element.classList.add("lab-named");
  }
  const summary = create("summary", "lab-summary");
  const part = (name, text) => summary.append(create("span", `lab-${name}`, text), " ");
  part("time", row.time);
  part("source", row.source);
  part("text", row.text);
  if (row.ms !== null) part("ms", `${row.ms} ms`);
  element.append(summary);
  element.addEventListener("toggle", () => element.open && ask(row.seq, false));
  return element;
}

/** Fill in the details of a row. They are requested each time, so no revealed token is kept. */
function fill(element, message, ask) {
  const body = create("div", "lab-details");
  for (const [title, text] of Object.entries(message.parts)) {
    body.append(create("div", "lab-part-title", title), create("pre", "lab-part", text));
  }
  const tools = create("div", "lab-tools");
  const curl = message.parts.cURL;
  if (curl) tools.append(button("Copy as cURL", () => navigator.clipboard?.writeText(curl)));
  if (Object.values(message.parts).some((text) => /<token [0-9a-f]{8}>/.test(text)))
    tools.append(button("Reveal tokens", () => ask(message.seq, true)));
  if (message.revealed) tools.append(button("Mask tokens", () => ask(message.seq, false)));
  body.append(tools);
  element.querySelector(".lab-details")?.remove();
  element.append(body);
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function render({ model, el }) {
  const rows = create("div", "lab-log");
  rows.tabIndex = 0; // so that the keyboard can scroll it
  rows.setAttribute("role", "log");
  rows.setAttribute("aria-label", "Event log");

  const me = String(Math.random()); // the same log may be on the page twice
  let last = 0; // the newest row that is drawn
  let action = null;
  let paused = false;
  let missed = []; // the rows that arrived during a pause
  const tell = (message) => {
    try {
      model.send({ ...message, view: me });
    } catch {
      // The kernel has restarted; the panel says so.
    }
  };
  const ask = (seq, reveal) => tell({ type: "open", seq, reveal });

  const filter = create("input", "lab-filter");
  filter.type = "search";
  filter.placeholder = "Filter";
  filter.setAttribute("aria-label", "Filter the event log");
  const matches = (row) =>
    row.querySelector("summary").textContent.toLowerCase().includes(filter.value.toLowerCase());
  filter.addEventListener("input", () => {
    for (const row of rows.children) row.hidden = !matches(row);
  });

  const append = (fresh) => {
    const atEnd = rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 8;
    for (const row of fresh) {
      const element = draw(row, row.action !== action, ask);
      element.hidden = !matches(element);
      rows.append(element);
      action = row.action;
    }
    while (rows.childElementCount > MAX_ROWS) rows.firstElementChild.remove();
    // Follow the newest row, unless the reader has scrolled back.
    if (atEnd) rows.scrollTop = rows.scrollHeight;
  };
  const pause = button("Pause", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) append(missed.splice(0));
  });
  const title = create("div", "lab-title", "Event log");
  title.append(
    filter,
    pause,
    button("Clear", () => rows.replaceChildren()),
    button("Save as JSON lines", () => tell({ type: "save", format: "jsonl" })),
    button("Save as HAR", () => tell({ type: "save", format: "har" })),
  );

  const receive = (message) => {
    if (message.type !== "rows" && message.view !== me) return;
    if (message.type === "details") {
      const element = rows.querySelector(`[data-seq="${message.seq}"]`);
      if (element) fill(element, message, ask);
    } else if (message.type === "file") {
      save(message.name, message.text);
    } else {
      if (message.type === "reset") {
        rows.replaceChildren();
        missed = [];
        last = 0;
      }
      const fresh = message.rows.filter((row) => row.seq > last);
      if (fresh.length === 0) return;
      last = fresh[fresh.length - 1].seq;
      if (paused) missed = missed.concat(fresh).slice(-MAX_ROWS);
      else append(fresh);
    }
  };

  el.classList.add("lab-log-view");
  el.append(title, rows);
  model.on("msg:custom", receive);
  tell({ type: "hello" });
  return () => model.off("msg:custom", receive);
}

export default { render };
