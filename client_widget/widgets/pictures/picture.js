// A picture with buttons in it. The Python side is picture.py.
//
// The trait `value` is the SVG. A click on a button asks Python for what its `data-asks` says.
// The message {type: "play"} lets the messages of the picture travel once. A page that is loaded
// again, or a second view, gets no such message, so it shows the picture as it is.

function render({ model, el }) {
  el.classList.add("lab-drawn");
  let focused = null; // which button: what it asks, and its place among its equals

  function buttons(asks) {
    return [...el.querySelectorAll(`button[data-asks="${asks}"]`)];
  }
  function show() {
    const active = document.activeElement;
    if (el.contains(active) && active.dataset.asks) {
      focused = { asks: active.dataset.asks, place: buttons(active.dataset.asks).indexOf(active) };
    } else if (active !== document.body) {
      focused = null; // the reader has gone elsewhere
    }
    el.innerHTML = model.get("value");
    if (focused) buttons(focused.asks)[focused.place]?.focus();
  }
  function onClick(event) {
    const asks = event.target.closest?.("button[data-asks]")?.dataset.asks;
    if (!asks) return;
    try {
      model.send({ asks });
    } catch {
      // The kernel has restarted; the panel says so.
    }
  }
  function onMessage(message) {
    if (message.type === "play") el.querySelector("svg")?.classList.add("plays");
  }

  el.addEventListener("click", onClick);
  model.on("change:value", show);
  model.on("msg:custom", onMessage);
  show();
  return () => {
    el.removeEventListener("click", onClick);
    model.off("change:value", show);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
