// What the widgets' own elements leave out for a screen reader: which button of a choice is
// pressed, what a group is called, and that the keyboard works: it scrolls what overflows, its arrows
// stay in a choice and in the log, and a button that was pressed can be pressed again.

const VIEWS = ".lab-panel, .lab-steps, .lab-inspector, .lab-tour, .lab-class, .lab-clock";

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function name(view) {
  for (const button of view.querySelectorAll(".widget-toggle-button, .widget-toggle-buttons button"))
    set(button, "aria-pressed", String(button.classList.contains("mod-active")));
  for (const part of view.querySelectorAll(".lab-box")) {
    const heading = part.querySelector("[role=heading]");
    if (!heading) continue;
    set(part, "role", "group");
    set(part, "aria-label", heading.textContent);
  }
  for (const pace of view.querySelectorAll(".lab-pace")) {
    set(pace, "role", "group");
    set(pace, "aria-label", "Pace");
  }
  // JupyterLab would take the arrow keys, and go to the next cell.
  for (const part of view.querySelectorAll("select, [role=log]"))
    set(part, "data-lm-suppress-shortcuts", "true");
  for (const box of view.querySelectorAll(".lab-at-flow > :last-child, .widget-tab-contents"))
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
}

function render({ el }) {
  let due = 0;
  let focused = null; // what last had the focus in the view
  let observer = null;
  // The element is put into its view after this function has returned.
  const start = requestAnimationFrame(() => {
    const view = el.closest(VIEWS);
    if (!view) return;
    view.addEventListener("focusin", ({ target }) => (focused = target));
    const soon = () => (due ||= requestAnimationFrame(() => ((due = 0), name(view))));
    observer = new MutationObserver((changes) => {
      // A button is disabled while its call runs, and so it loses the focus.
      const enabled = changes.some(({ target }) => target === focused && !target.disabled);
      if (enabled && document.activeElement === document.body) focused.focus({ preventScroll: true });
      soon();
    });
    observer.observe(view, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ["class", "disabled"],
    });
    soon();
  });
  return () => {
    cancelAnimationFrame(start);
    cancelAnimationFrame(due);
    observer?.disconnect();
  };
}

export default { render };
