
/** The details of a row, in a pane beside the rows. They are no part of the log that is read out. */
class Details {
  /**
   * @param ask called with `seq` and whether to reveal tokens; the answer comes to `fill`
   * @param say reads a text out
   */
  constructor(ask, say) {
    this.ask = ask;
    this.say = say;
    this.row = null; // the row that is open
    this.element = create("section", "lab-log-details");
    this.element.setAttribute("aria-label", "Details");
    this.element.hidden = true;
  }

  appear(yes) {
    this.element.hidden = !yes;
    this.element.parentElement.classList.toggle("lab-log-with-details", yes);
  }

  toggle(row) {
    const same = row === this.row;
    this.close();
    if (same) return;
    this.row = row;
    row.setAttribute("aria-expanded", "true");
    this.appear(true);
    this.show({ "Please wait": "The kernel is busy. The details come when it is free." });
    this.element.querySelector("button").focus();
    row.scrollIntoView({ block: "nearest" });
    this.request(false);
  }

  /** Hide the pane and go back to its row. What it showed is gone, a revealed token as well. */
  close() {
    const row = this.row;
    if (!row) return false;
    const focused = this.element.contains(document.activeElement);
    row.setAttribute("aria-expanded", "false");
    this.row = null;
    this.appear(false);
    this.element.replaceChildren();
    if (focused) row.focus();
    return true;
  }

  request(reveal) {
    this.ask(Number(this.row.dataset.seq), reveal);
  }

  fill({ seq, parts, revealed }) {
    if (this.row && Number(this.row.dataset.seq) === seq) this.show(parts, revealed);
  }

  show(parts, revealed = false) {
    const focused = this.element.contains(document.activeElement);
    const texts = Object.values(parts);
    const tools = create("div", "lab-log-tools");
    const close = button("Close", () => this.close());
    tools.append(close, this.copier("Copy", texts.join("\n\n")));
    if (parts.cURL) tools.append(this.copier("Copy as cURL", parts.cURL));
    if (texts.some((text) => /<token [0-9a-f]{8}>/.test(text)))
      tools.append(button("Reveal tokens", () => this.request(true)));
    if (revealed) tools.append(button("Mask tokens", () => this.request(false)));
    this.parts = create("div", "lab-log-parts");
    this.parts.tabIndex = 0; // so that the keyboard can scroll it
    this.parts.setAttribute("role", "group");
    this.parts.setAttribute("aria-label", "Message");
    for (const [title, text] of Object.entries(parts))
      this.parts.append(create("div", "lab-log-part-title", title), create("pre", "", text));
    this.element.replaceChildren(tools, this.parts);
    if (focused) close.focus();
  }

  copier(label, text) {
    const control = button(label, async () => {
      let done = "Copied";
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        // A page without HTTPS has no clipboard.
        getSelection().selectAllChildren(this.parts);
        done = "Selected: press Ctrl+C";
      }
      control.textContent = done;
      this.say(done);
      setTimeout(() => (control.textContent = label), 1500);
    });
    return control;
  }
}
