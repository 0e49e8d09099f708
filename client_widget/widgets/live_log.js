
// The live log's view. log_story.js and log_details.js precede it in one module, and live_log.py is
// the Python side.
//
// Messages from Python: {type: "rows", rows, stories} adds rows to every view, and has the headline
// of each story that they change. The others answer one view, whose id they carry: {type: "reset"}
// has all rows, {type: "details"} has the details of a row, {type: "file"} is a file to save.
// Messages to Python: "hello" asks for a reset, "open" for details, "save" for a file.

const MAX_ROWS = 1000;

// Milliseconds without news after which the headline is read out: the story is told, or it waits.
const TOLD = 700;

const EMPTY = "Nothing has happened yet. Press a button, or make a call in a cell.";
const CLEARED = "The view is cleared. What happens next appears here.";

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function render({ model, el }) {
  const me = String(Math.random()); // the same log may be on the page twice
  const tell = (message) => {
    try {
      model.send({ ...message, view: me });
    } catch {
      // The kernel has restarted; the panel says so.
    }
  };

  const list = create("div", "lab-log-list");
  list.setAttribute("role", "log");
  list.setAttribute("aria-label", "Event log");
  // A log is read out as it grows: an expiry would be 14 rows. Its headline is read once, by this
  // region. It has no role, because what it says is no state of the panel.
  list.setAttribute("aria-live", "off");
  const voice = create("div", "lab-log-voice");
  voice.setAttribute("aria-live", "polite");
  voice.setAttribute("aria-atomic", "true");
  let telling; // the timer
  const say = (text, delay = 0) => {
    clearTimeout(telling);
    telling = setTimeout(() => text !== voice.textContent && (voice.textContent = text), delay);
  };

  // Stories

  const stories = new Map(); // by action
  let open = null; // the newest that has a headline
  let count = 0; // of all rows
  let last = 0; // the newest row that is known
  let empty = EMPTY;

  const storyOf = (row) => {
    if (!stories.has(row.story)) {
      const story = new Story(row.story, row.time);
      stories.set(row.story, story);
      list.append(story.element);
      open?.open(false);
      open = story;
      story.open(true);
    }
    return stories.get(row.story);
  };
  const add = (row) => {
    if (row.story === undefined) {
      const alone = create("div", "lab-log-story lab-log-alone");
      alone.append(drawRow(row));
      list.append(alone);
    } else {
      storyOf(row).add(row);
    }
    introduce(row.from);
    if (row.to) introduce(row.to);
    count += 1;
  };
  /** Keep the page small: the oldest stories go, and of a single long one its oldest rows. */
  const shorten = () => {
    while (count > MAX_ROWS && list.childElementCount > 1) {
      const oldest = list.firstElementChild;
      count -= oldest.querySelectorAll(".lab-log-row").length;
      stories.delete(oldest.story?.action);
      oldest.remove();
    }
    for (; count > MAX_ROWS; count -= 1) list.querySelector(".lab-log-row").remove();
  };
  const forget = (why) => {
    list.replaceChildren();
    stories.clear();
    [open, count, empty] = [null, 0, why];
    details.close();
    sift();
  };

  const legend = create("div", "lab-log-legend");
  legend.setAttribute("aria-label", "Who is who");
  legend.setAttribute("role", "group");
  const introduce = (name) => {
    if ([...legend.children].some((known) => known.dataset.actor === name)) return;
    if (legend.childElementCount < 8) legend.append(actor(name));
  };

  // The filter works on whole stories, because a row means little without those around it.

  const filter = create("input", "lab-log-filter");
  filter.type = "search";
  filter.placeholder = "Filter";
  filter.setAttribute("aria-label", "Filter the event log");
  const nothing = create("p", "lab-log-empty");
  const sift = () => {
    const wanted = filter.value.toLowerCase();
    let shown = 0;
    const has = (element) => element.textContent.toLowerCase().includes(wanted);
    for (const element of list.children) {
      element.hidden = !has(element);
      shown += !element.hidden;
      const story = element.story;
      story?.open(wanted ? has(story.rows) : story === open);
    }
    const none = list.childElementCount ? `No story contains “${filter.value}”.` : empty;
    nothing.textContent = shown ? "" : none;
    nothing.hidden = shown > 0;
  };
  filter.addEventListener("input", () => {
    sift();
    if (!nothing.hidden) say(nothing.textContent, TOLD);
  });

  // Pause

  let missed = null; // what arrived during a pause
  const waiting = create("span", "lab-log-waiting");
  const pause = button("Pause", () => {
    const message = missed;
    missed = message ? null : { rows: [], stories: {} };
    pause.textContent = missed ? "Resume" : "Pause";
    waiting.textContent = "";
    if (message) append(message);
  });
  pause.classList.add("lab-log-pause");
  const wait = (message) => {
    missed.rows = missed.rows.concat(message.rows).slice(-MAX_ROWS);
    Object.assign(missed.stories, message.stories);
    const rows = missed.rows.length;
    const number = rows === MAX_ROWS ? `${rows} or more` : rows;
    waiting.textContent = rows === 1 ? "1 row waits" : `${number} rows wait`;
  };

  const append = ({ rows, stories: headlines }) => {
    for (const row of rows) add(row);
    for (const [action, parts] of Object.entries(headlines)) stories.get(action)?.setHeadline(parts);
    shorten();
    if (filter.value || !nothing.hidden) sift();
    if (atEnd) requestAnimationFrame(() => (scroller.scrollTop = scroller.scrollHeight));
  };

  const details = new Details((seq, reveal) => tell({ type: "open", seq, reveal }), say);

  list.addEventListener("click", (event) => {
    const row = event.target.closest(".lab-log-row");
    if (row) details.toggle(row);
  });
  // The keyboard: arrows go from row to row, Escape closes the details.
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [...list.querySelectorAll("summary, button")].filter((e) => e.checkVisibility());
    stops[stops.indexOf(document.activeElement) + step]?.focus();
    event.preventDefault(); // the list follows the focus
  });
  el.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && details.close()) event.stopPropagation();
  });

  const receive = (message) => {
    if (message.type !== "rows" && message.view !== me) return;
    if (message.type === "details") {
      details.fill(message);
    } else if (message.type === "file") {
      save(message.name, message.text);
    } else {
      if (message.type === "reset") {
        forget(EMPTY);
        if (missed) missed = { rows: [], stories: {} };
        last = 0;
      }
      const rows = message.rows.filter((row) => row.seq > last);
      if (rows.length === 0) return;
      last = rows.at(-1).seq;
      if (missed) wait({ ...message, rows });
      else append({ ...message, rows });
      if (message.type === "rows" && !missed)
        say(stories.get(rows.at(-1).story)?.headline.textContent ?? rows.at(-1).text, TOLD);
    }
  };

  const saver = (label, format, name) => {
    const control = button(`↓ ${label}`, () => tell({ type: "save", format }));
    control.title = `Save as ${name}`;
    control.setAttribute("aria-label", control.title);
    return control;
  };
  const bar = create("div", "lab-log-bar");
  const heading = create("span", "lab-log-heading", "What happened");
  heading.setAttribute("role", "heading");
  heading.setAttribute("aria-level", "3");
  bar.append(
    heading,
    filter,
    pause,
    button("Clear", () => forget(CLEARED)),
  );
  const second = create("div", "lab-log-bar");
  second.append(legend, saver("JSON", "jsonl", "JSON lines"), saver("HAR", "har", "HAR"));
  const columns = create("div", "lab-log-columns");
  columns.setAttribute("aria-hidden", "true"); // each cell says what it is by itself
  for (const [name, title] of Object.entries({
    time: "Time", call: "Call", who: "From → to", text: "What", status: "Status", ms: "Took",
  }))
    cell(columns, name, title);
  const scroller = create("div", "lab-log-scroller");
  // Follow the newest row, unless the reader has scrolled back. To ask the page where it is would
  // make it lay itself out for each batch.
  const end = create("div", "lab-log-end");
  let atEnd = true;
  const look = (sights) => {
    // What is hidden has no end in sight.
    if (scroller.clientHeight) atEnd = sights.at(-1).isIntersecting;
  };
  const seen = new IntersectionObserver(look, { root: scroller, rootMargin: "8px" });
  seen.observe(end);
  // Larger type, another window or a hidden tab moves the rows: the reader has not scrolled.
  const resized = new ResizeObserver(() => {
    if (atEnd && !details.row) scroller.scrollTop = scroller.scrollHeight;
  });
  resized.observe(scroller);
  const strip = create("div", "lab-log-strip");
  strip.append(waiting);
  scroller.append(columns, nothing, list, strip, end);
  const body = create("div", "lab-log-body");
  body.append(scroller, details.element);

  el.classList.add("lab-log-view");
  el.append(bar, second, body, voice);
  sift();
  model.on("msg:custom", receive);
  tell({ type: "hello" });
  return () => {
    clearTimeout(telling);
    seen.disconnect();
    resized.disconnect();
    model.off("msg:custom", receive);
  };
}

export default { render };
