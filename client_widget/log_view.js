// The live log. The Python side is log_view.py.
//
// Messages from Python: {type: "reset", rows} replaces all rows, {type: "rows", rows} adds.
// Messages to Python: "hello" asks for a reset, "alive" and "bye" say whether anybody looks.
// Everything is set as text: what a user typed is never markup.

const MAX_ROWS = 1000;
const ALIVE_EVERY_MS = 10_000;

function draw(row, first) {
  const element = document.createElement("div");
  element.className = `lab-row lab-${row.tone}${first ? " lab-first" : ""}`;
  element.dataset.seq = row.seq;
  element.dataset.source = row.source;
  const part = (name, text) => {
    const span = document.createElement("span");
    span.className = `lab-${name}`;
    span.textContent = text;
    element.append(span, " ");
  };
  part("time", row.time);
  part("source", row.source);
  part("text", row.text);
  if (row.ms !== null) part("ms", `${row.ms} ms`);
  return element;
}

function render({ model, el }) {
  const title = document.createElement("div");
  title.className = "lab-title";
  title.textContent = "Event log";
  const rows = document.createElement("div");
  rows.className = "lab-log";
  rows.tabIndex = 0; // a keyboard can scroll it
  rows.setAttribute("role", "log");
  rows.setAttribute("aria-label", "Event log");
  el.classList.add("lab-log-view");
  el.append(title, rows);

  let last = 0;
  let action = null;
  const receive = (message) => {
    const atEnd = rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 8;
    if (message.type === "reset") {
      rows.replaceChildren();
      last = 0;
    }
    const fresh = message.rows.filter((row) => row.seq > last);
    if (fresh.length === 0) return;
    last = fresh[fresh.length - 1].seq;
    for (const row of fresh) {
      rows.append(draw(row, row.action !== action));
      action = row.action;
    }
    while (rows.childElementCount > MAX_ROWS) rows.firstElementChild.remove();
    // Follow the newest row, unless the reader has scrolled back.
    if (atEnd || message.type === "reset") rows.scrollTop = rows.scrollHeight;
  };

  const say = (type) => model.send({ type });
  model.on("msg:custom", receive);
  say("hello");
  const heartbeat = setInterval(say, ALIVE_EVERY_MS, "alive");
  return () => {
    clearInterval(heartbeat);
    model.off("msg:custom", receive);
    say("bye");
  };
}

export default { render };
