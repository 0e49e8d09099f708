// What the live log is made of: buttons, actors, rows and stories. The view is live_log.js.
// All text is set as text, so what a user typed is never markup.

function create(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function button(label, act) {
  const element = create("button", "lab-log-button", label);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** Who says something, in its colour, which is the same in every view. */
function actor(name) {
  const element = create("span", "lab-log-actor", name);
  element.dataset.actor = name;
  element.title = name; // whole, where a long one is cut
  if (!["client", "server", "panel", "clock"].includes(name)) {
    let hash = 0; // one of several clients
    for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 360;
    // Names that differ by 1, such as "tab 1" and "tab 2", are far apart.
    element.style.setProperty("--log-hue", (hash * 139) % 360);
  }
  return element;
}

/** A text in which no line ends within a time, such as "3 s ago". */
function unbroken(text) {
  const parts = text.split(/(\d+ s\b(?: ago| left)?)/); // each second one is a time
  return parts.map((part, index) => (index % 2 ? create("span", "lab-log-whole", part) : part));
}

/** A cell, and a space behind it: so the text of a row reads as a sentence. */
function cell(parent, name, ...content) {
  const element = create("span", `lab-log-${name}`);
  element.append(...content);
  parent.append(element, " ");
  return element;
}

/** An event: a button that opens its details. Its cells are the columns. */
function drawRow(row) {
  const element = create("button", `lab-log-row lab-log-${row.tone ?? "plain"}`);
  element.type = "button";
  element.dataset.seq = row.seq;
  element.dataset.source = row.from;
  element.setAttribute("aria-expanded", "false");
  cell(element, "time", row.time);
  cell(element, "call", row.call ? `#${row.call}` : "");
  const who = cell(element, "who", actor(row.from));
  if (row.to) {
    const to = create("span", "lab-log-to", " → ");
    to.append(actor(row.to));
    who.append(to);
  }
  // In the text, the status comes before what it is the status of; on the screen behind it.
  if (row.status) cell(element, "status", chip(`${row.status}`, row.tone));
  cell(element, "text", ...unbroken(row.text ?? ""));
  if (row.ms !== undefined) cell(element, "ms", `${row.ms} ms`);
  return element;
}

function chip(text, tone) {
  return create("span", `lab-log-chip lab-log-${tone}`, text);
}

/** Call numbers in short: 5, 6, 7 and 9 are "#5–7, 9". */
function ranges(numbers) {
  const parts = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  const texts = parts.map(([first, last]) => (first === last ? first : `${first}–${last}`));
  return texts.length ? `#${texts.join(", ")}` : "";
}

/**
 * One user action: a headline, and rows that fold.
 *
 * The newest story is open and the older ones are folded, unless the reader has opened or folded
 * one by hand.
 */
class Story {
  constructor(action, time) {
    this.action = action;
    this.element = create("details", "lab-log-story");
    this.element.story = this;
    this.summary = create("summary", "lab-log-summary");
    cell(this.summary, "time", time);
    this.number = cell(this.summary, "call");
    this.headline = cell(this.summary, "headline");
    this.rows = create("div", "lab-log-rows");
    this.element.append(this.summary, this.rows);
    this.calls = new Set();
    this.chosen = false; // by the reader
    this.summary.addEventListener("click", () => (this.chosen = true));
  }

  add(row) {
    this.rows.append(drawRow(row));
    if (row.call) this.calls.add(row.call);
    this.element.classList.toggle("lab-log-several", this.calls.size > 1);
    this.number.textContent = ranges(this.calls);
  }

  /** A part of a headline is a text, or a step: its text and its tone. The first is the title. */
  setHeadline(parts) {
    const draw = (part, index) => {
      if (typeof part !== "string") return chip(...part);
      return create("span", index ? "lab-log-join" : "lab-log-title", part);
    };
    this.headline.replaceChildren(...parts.map(draw));
  }

  open(yes) {
    if (!this.chosen) this.element.open = yes;
  }
}
