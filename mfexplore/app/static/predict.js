// Predict, then reveal, with the hand: the guess of a task is dragged on diagram or curve, a whole curve is sketched by
// its handles. What was predicted, and how well, is kept in this browser.

const HANDLES = 9, BORDER = 0.04, KEEP = "mfexplore-progress", SETTLES_MS = 400;

export function makePredict(root, channel, figures, controlsOf, {controls, tasks, decades, title: system, titles}, toast) {
  const $ = id => root.getElementById(id);
  let view = {}, values = {}, query = "";
  let task = -1; // that is asked
  let guess = null, truth = null; // of a task, in values
  let sketch = null; // heights of the handles, as parts of the frame from below; null: there is none
  let sketching = false;
  let revealed = 0; // when
  let over = null; // what was revealed, by the address of the exploration: it is seen until one goes elsewhere
  let held = 0; // the handle that keys move

  const asked = () => tasks[task]?.asked;
  const along = () => view[view.along];
  const isLog = name => controls[name]?.log ?? decades.includes(name);
  const place = (name, value) => isLog(name) ? Math.log10(value) : value;
  const value = (name, place) => Number((isLog(name) ? 10 ** place : place).toPrecision(4));
  const range = (figure, axis) => { const {start, end} = figure[`${axis}_range`]; return [start, end]; };
  const at = ([low, high], part) => low + part * (high - low);

  // -- what is drawn -----------------------------------------------------------------------------------------------

  const layer = (figure, name) => figure.renderers.find(one => one.name === name).data_source;

  function put(name, points, lines) {
    const figure = figures.get(name);
    if (!figure) return;
    layer(figure, "guess").data = {x: points.map(p => p[0]), y: points.map(p => p[1])};
    const row = ({xs, ys, known}) => [xs, ys, known ? "solid" : "6 4"];
    const [xs, ys, dash] = [0, 1, 2].map(k => lines.map(line => row(line)[k]));
    layer(figure, "guess_path").data = {xs, ys, dash};
  }

  // A value of a control is a line across the plot, one of an observable a point above the marker.
  function drawn(figure, name, x, y) {
    const points = [], lines = [];
    for (const [number, known] of [[guess, false], [truth, true]]) {
      if (number === null) continue;
      const place_ = place(asked(), number);
      if (asked() === x) lines.push({xs: [place_, place_], ys: range(figure, "y"), known});
      else if (asked() === y && name === "diagram") lines.push({xs: range(figure, "x"), ys: [place_, place_], known});
      else if (asked() === y) {
        const where = place(x, values[x]), [low, high] = range(figure, "x"), arm = BORDER * (high - low);
        lines.push({xs: [where - arm, where + arm], ys: [place_, place_], known});
        if (!known) points.push([where, place_]);
      }
    }
    put(name, points, lines);
  }

  const handles = figure => {
    const [xs, ys] = ["x", "y"].map(axis => range(figure, axis));
    return sketch.map((part, k) => [at(xs, BORDER + (1 - 2 * BORDER) * k / (HANDLES - 1)), at(ys, part)]);
  };

  function draw() {
    const curve = figures.get("curve"), diagram = figures.get("diagram");
    if (curve && sketch) {
      const points = handles(curve);
      put("curve", points, [{xs: points.map(p => p[0]), ys: points.map(p => p[1])}]);
    } else if (curve) drawn(curve, "curve", along(), view.colour);
    if (diagram) drawn(diagram, "diagram", view.x, view.y);
  }

  // -- what a hand does ----------------------------------------------------------------------------------------------

  function tell(number) {
    guess = number;
    $("guess").value = String(number);
    draw();
  }

  function pull({x, y}) { // on the curve
    const figure = figures.get("curve");
    if (sketching) {
      const points = handles(figure), [low, high] = range(figure, "y");
      held = points.reduce((best, p, k) => Math.abs(p[0] - x) < Math.abs(points[best][0] - x) ? k : best, 0);
      sketch[held] = Math.min(Math.max((y - low) / (high - low), 0), 1);
      draw();
    } else if (asked() === along()) tell(value(asked(), x));
    else if (asked() === view.colour) tell(value(asked(), y));
  }

  figures.then("curve", model => {
    for (const kind of ["tap", "pan"]) model.on_event(kind, event => { if (over === null) pull(event); });
    draw();
  });
  figures.then("diagram", draw);

  controlsOf.whenMoved((name, value) => { // who looks for a value by moving it has it as a guess
    if (over === null && name === asked()) tell(value);
  });

  const STEP = {ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1};
  function press(event) {
    if (!sketching) return;
    const across = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (across) held = Math.min(Math.max(held + across, 0), HANDLES - 1);
    else if (event.key in STEP) sketch[held] = Math.min(Math.max(sketch[held] + STEP[event.key], 0), 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
    const [x, y] = handles(figures.get("curve"))[held];
    const names = [[along(), x], [view.colour, y]];
    const words = names.map(([name, where]) => `${controls[name]?.title ?? titles[name]} ${Number(value(name, where).toPrecision(3))}`);
    $("predicted").textContent = words.join(", ");
  }

  function begin() {
    forget();
    sketch = Array(HANDLES).fill(0.5);
    sketching = true;
    draw();
    channel.say("sketch");
    show();
    $("predicted").textContent = "Drag the points to where you expect the curve, or use the arrow keys; then reveal.";
    $("sketcher").focus();
  }

  function reveal() {
    const points = handles(figures.get("curve")), names = [along(), view.colour];
    const [xs, ys] = [0, 1].map(k => points.map(p => value(names[k], p[k])));
    channel.say("sketched", {xs, ys});
  }

  function reveals() {
    over = query;
    revealed = performance.now();
  }

  function forget() {
    sketch = guess = truth = over = null;
    task = -1;
    if ($("predicted")) $("predicted").textContent = "";
    draw();
  }

  function show() {
    const on = sketching, button = $("predict");
    if (!button) return;
    button.textContent = on ? "Reveal" : "Predict the curve";
    button.classList.toggle("primary", on);
    $("sketcher").tabIndex = on ? 0 : -1;
    figures.touch("curve", on || (task >= 0 && over === null) ? "none" : "pan-y pinch-zoom");
  }

  // -- what the desk says ----------------------------------------------------------------------------------------------

  channel.hear("asking", ({index, hidden}) => {
    if (index >= 0) {
      if (index !== task || over !== null) forget();
      task = index;
    } else if (!hidden.length && over === null) forget(); // it was left, or shown without an answer
    if (!hidden.length) sketching = false;
    if ($("predict")) $("predict").hidden = index >= 0;
    show();
  });

  channel.hear("state", message => {
    ({view, values} = message);
    if (over !== null && performance.now() - revealed < SETTLES_MS) over = message.query; // the last step of the hand before
    if (over !== null && over !== message.query) forget();
    query = message.query;
    draw();
  });

  channel.hear("answer", ({index, right, text, truth: number}) => {
    if (index < 0) {
      reveals();
      $("predicted").textContent = text;
      keep(`${titles[view.colour]} along ${controls[along()].title}`, right, text);
      return;
    }
    if (index === task) {
      truth = number;
      reveals();
      draw();
    }
    keep(`task ${index + 1}`, right, text);
  });

  // -- what is kept ------------------------------------------------------------------------------------------------

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEEP)) ?? [];
    } catch { // a browser that keeps nothing
      return [];
    }
  }

  function write(records) {
    try {
      localStorage.setItem(KEEP, JSON.stringify(records));
    } catch { /* the same */ }
    tellKept();
  }

  function keep(what, right, text) {
    write([...kept(), {when: new Date().toISOString(), system, what, right, said: text, page: location.href}]);
  }

  function tellKept() {
    const all = kept(), here = all.filter(one => one.system === system);
    const right = here.filter(one => one.right).length;
    $("kept").hidden = !all.length;
    $("kept-here").textContent = `Here ${right} of ${here.length} predictions were right; ${all.length} in all are kept in this browser.`;
    for (const place of root.querySelectorAll("[data-task]")) {
      const solved = here.some(one => one.right && one.what === `task ${Number(place.dataset.task) + 1}`);
      place.querySelector(".solved").hidden = !solved;
    }
  }

  function save() {
    const cell = text => `"${String(text).replaceAll('"', '""')}"`;
    const names = ["when", "system", "what", "right", "said", "page"];
    const rows = [names, ...kept().map(one => names.map(name => one[name]))];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([rows.map(row => row.map(cell).join(",")).join("\n")], {type: "text/csv"}));
    link.download = "mfexplore-predictions.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  function wire() {
    $("predict")?.addEventListener("click", () => sketching ? reveal() : begin());
    $("sketcher")?.addEventListener("keydown", press);
    $("guess").addEventListener("input", ({target}) => {
      const number = Number(target.value.replace(",", "."));
      guess = target.value.trim() && Number.isFinite(number) ? number : null;
      draw();
    });
    $("kept-save")?.addEventListener("click", save);
    $("kept-forget")?.addEventListener("click", () => { write([]); toast("Forgotten.", "info"); });
    if ($("kept")) tellKept();
  }

  return {wire};
}
