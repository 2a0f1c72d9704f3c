// Runs once in each view of a workbench: finds out what the page has and needs, and tells the kernel through a hidden
// text field, which is the only way from a page to a kernel that every notebook front end has.
(() => {
  const id = "__ID__", version = "__VERSION__";
  const inputs = () => document.querySelectorAll(`.mfexplore-ear-${id} input`);
  const theme = () => {
    const said = document.body.dataset.jpThemeLight;
    const dark = said ? said === "false" : document.body.classList.contains("vscode-dark");
    return dark ? "dark" : "light";
  };
  const missing = () => {
    if (window.Bokeh?.version !== version) return "all";
    return window.mfexploreMathematics === version ? "" : "mathematics";
  };
  const steps = [0, 0];
  let view = null, beat = 0;

  function tell() {
    const input = [...inputs()].at(-1);
    if (!input) return false;
    view ??= (input.mfexploreView ??= Math.random().toString(36).slice(2));
    const visible = document.visibilityState === "visible";
    input.value = JSON.stringify({view, missing: missing(), theme: theme(), steps, visible, beat: ++beat});
    input.dispatchEvent(new Event("input", {bubbles: true}));
    input.dispatchEvent(new Event("change", {bubbles: true}));
    return true;
  }

  // The arrow keys move the marker; the notebook must not take them for its own.
  const moves = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], PageUp: [0, 10], PageDown: [0, -10],
  };
  function wire(plane) {
    if (plane.mfexploreWired) return;
    plane.mfexploreWired = true;
    plane.tabIndex = 0;
    plane.dataset.lmSuppressShortcuts = "true";
    plane.setAttribute("role", "application");
    plane.setAttribute("aria-label", "Phase diagram: arrow keys move the marker by one step, with Shift by ten");
    guard(plane);
    const bench = plane.closest(`.mfexplore-${id}`);
    new MutationObserver(rename).observe(bench, {childList: true, subtree: true});
    rename();
    plane.addEventListener("pointerdown", () => plane.focus({preventScroll: true}));
    plane.addEventListener("keydown", event => {
      const move = moves[event.key];
      if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      steps[0] += move[0] * (event.shiftKey ? 10 : 1);
      steps[1] += move[1] * (event.shiftKey ? 10 : 1);
      tell();
    });
  }

  // A finger that swipes over the plane scrolls the page; only one that taps moves the marker.
  function guard(plane) {
    let finger = null;
    plane.addEventListener("pointerdown", event => {
      if (event.pointerType === "touch") finger = {id: event.pointerId, x: event.clientX, y: event.clientY, moved: false};
    }, true);
    plane.addEventListener("pointermove", event => {
      if (finger?.id !== event.pointerId) return;
      finger.moved ||= Math.hypot(event.clientX - finger.x, event.clientY - finger.y) > 8;
      event.stopPropagation();
    }, true);
    plane.addEventListener("pointerup", event => {
      if (finger?.id !== event.pointerId || !finger.moved) return;
      event.stopPropagation();
      const {pointerId, pointerType} = event;
      event.composedPath()[0].dispatchEvent(new PointerEvent("pointercancel", {pointerId, pointerType, bubbles: true, composed: true}));
    }, true);
  }

  // The widgets of a notebook have no names for who cannot see which words stand beside them.
  function name(bench) {
    const call = (one, words) => { if (words && one.getAttribute("aria-label") !== words) one.setAttribute("aria-label", words); };
    for (const control of bench.querySelectorAll(".mfexplore-control, .mfexplore-speed")) {
      const words = control.querySelector("span, small")?.textContent.trim();
      for (const one of control.querySelectorAll(".noUi-handle, input")) call(one, words);
    }
    for (const select of bench.querySelectorAll("select")) {
      const label = select.closest(".widget-dropdown").querySelector(".widget-label")?.textContent.trim();
      call(select, label || (select.closest(".mfexplore-export") ? "Export" : "What is shown"));
    }
    for (const box of bench.querySelectorAll(".mfexplore-pin input")) call(box, "Name of the pin");
    for (const box of bench.querySelectorAll(".mfexplore-task input")) call(box, "My prediction");
    for (const box of bench.querySelectorAll(".mfexplore-average input")) call(box, "Until how many samples, or which error");
    layers(bench);
  }
  // Bokeh makes a layer of every figure a stop of the keyboard without a name, and lets no finger scroll over it.
  function layers(within) {
    for (const one of within.querySelectorAll("*")) {
      if (one.classList.contains("bk-events")) Object.assign(one, {tabIndex: -1}).style.touchAction = "pan-y pinch-zoom";
      if (one.shadowRoot) layers(one.shadowRoot);
    }
  }
  let due = null;
  const rename = () => { due ??= setTimeout(() => { due = null; document.querySelectorAll(`.mfexplore-${id}`).forEach(name); }, 300); };

  let patience = 600, told = null;
  const waiting = setInterval(() => {
    if (told !== missing() && tell()) told = missing();
    const planes = document.querySelectorAll(`.mfexplore-${id} .mfexplore-plane`);
    planes.forEach(wire);
    if ((planes.length && told === "") || --patience < 0) clearInterval(waiting);
  }, 50);
  document.addEventListener("visibilitychange", tell);
  setInterval(tell, 5000); // the kernel stops what runs for a page that says nothing any longer
  new MutationObserver(tell).observe(document.body, {attributes: true, attributeFilter: ["data-jp-theme-light", "class"]});
})();
