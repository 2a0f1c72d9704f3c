// Predict, then reveal, with the hand: the guess of a task is dragged on diagram or curve; a curve, or a boundary of the
// diagram, is sketched by its handles. What was predicted, and how well, is kept in this browser.

const HANDLES = 9, BORDER = 0.04, KEEP = "mfexplore-progress", WHO = "mfexplore-who", SETTLES_MS = 400;
const PILE = 60, RISE = 0.03; // of guesses of a class: so many piles across a figure, and how much of it each adds
const SKETCHES = { // what can be sketched on a figure: the button, what it says, and where that is judged
  curve: {button: "predict", label: "Predict the curve", words: "predicted", box: "sketcher"},
  diagram: {button: "predict-boundary", label: "Predict a boundary", words: "predicted-boundary", box: "plane"},
};

export function makePredict(root, channel, figures, plane, controlsOf, {controls, tasks, decades, title: system, titles}, toast) {
  const $ = id => root.getElementById(id);
  let view = {}, values = {}, query = "";
  let task = -1; // that is asked
  let guess = null, truth = null; // of a task, in values
  let sketch = null; // {on: a figure, points: of the handles, as parts of the frame}; null: there is none
  let sketching = false;
  let others = null; // what the class has guessed: {index: of the task, guesses}
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

  // The guesses of a class, piled up where they lie on an axis.
  function piled(figure, x, y) {
    const name = tasks[others?.index]?.asked, across = name === x;
    if (!others || (!across && name !== y)) return [];
    const along = range(figure, across ? "x" : "y"), up = range(figure, across ? "y" : "x"), piles = new Map(), lines = [];
    for (const guess of others.guesses) {
      const part = (place(name, guess) - along[0]) / (along[1] - along[0]), pile = Math.round(PILE * part);
      if (!(part >= 0 && part <= 1)) continue;
      const height = piles.get(pile) ?? 0, where = at(along, pile / PILE);
      piles.set(pile, height + 1);
      const ends = [height + 0.15, height + 0.85].map(step => at(up, Math.min(RISE * step, 1)));
      lines.push(across ? {xs: [where, where], ys: ends, known: true} : {xs: ends, ys: [where, where], known: true});
    }
    return lines;
  }

  // A value of a control is a line across the plot, one of an observable a point above the marker.
  function drawn(figure, name, x, y) {
    const points = [], lines = piled(figure, x, y);
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

  const axesOf = name => name === "curve" ? [along(), view.colour] : [view.x, view.y];

  function handles() { // their places on the axes
    const [xs, ys] = ["x", "y"].map(axis => range(figures.get(sketch.on), axis));
    return sketch.points.map(([across, up]) => [at(xs, across), at(ys, up)]);
  }

  function draw() {
    for (const name of Object.keys(SKETCHES)) {
      const figure = figures.get(name);
      if (!figure) continue;
      if (sketch?.on === name) {
        const points = handles();
        put(name, points, [{xs: points.map(p => p[0]), ys: points.map(p => p[1])}]);
      } else drawn(figure, name, ...axesOf(name));
    }
  }

  // -- what a hand does ----------------------------------------------------------------------------------------------

  function tell(number) {
    guess = number;
    $("guess").value = String(number);
    draw();
  }

  const inside = part => Math.min(Math.max(part, 0), 1);

  function drag({x, y}) { // the nearest handle; on a curve each stays above its place
    const free = sketch.on === "diagram", figure = figures.get(sketch.on);
    const [across, up] = [["x", x], ["y", y]].map(([axis, where]) => {
      const [low, high] = range(figure, axis);
      return inside((where - low) / (high - low));
    });
    const far = ([a, b]) => Math.hypot(a - across, free ? b - up : 0);
    held = sketch.points.reduce((best, p, k) => far(p) < far(sketch.points[best]) ? k : best, 0);
    sketch.points[held] = [free ? across : sketch.points[held][0], up];
    draw();
  }

  function pull(name, event) {
    if (sketching) { if (sketch.on === name) drag(event); return; }
    if (name !== "curve" || over !== null) return;
    if (asked() === along()) tell(value(asked(), event.x));
    else if (asked() === view.colour) tell(value(asked(), event.y));
  }

  for (const name of Object.keys(SKETCHES)) {
    figures.then(name, model => {
      for (const kind of ["tap", "pan"]) model.on_event(kind, event => pull(name, event));
      draw();
    });
  }

  controlsOf.whenMoved((name, value) => { // who looks for a value by moving it has it as a guess
    if (over === null && name === asked()) tell(value);
  });

  const STEP = {ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1};
  function press(event) {
    if (!sketching || event.target.closest("button")) return;
    const point = sketch.points[held], side = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (side && event.shiftKey && sketch.on === "diagram") point[0] = inside(point[0] + side * STEP.ArrowUp);
    else if (side) held = Math.min(Math.max(held + side, 0), HANDLES - 1);
    else if (event.key in STEP) point[1] = inside(point[1] + STEP[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
    const places = handles()[held];
    const words = axesOf(sketch.on).map((name, k) => `${controls[name]?.title ?? titles[name]} ${Number(value(name, places[k]).toPrecision(3))}`);
    $(SKETCHES[sketch.on].words).textContent = words.join(", ");
  }

  function begin(name) {
    forget();
    sketch = {on: name, points: Array.from({length: HANDLES}, (_, k) => [BORDER + (1 - 2 * BORDER) * k / (HANDLES - 1), 0.5])};
    sketching = true;
    held = 0;
    draw();
    channel.say("sketch");
    show();
    const what = name === "curve" ? "the curve" : "a boundary (with Shift, keys move sideways)";
    $(SKETCHES[name].words).textContent = `Drag the points to where you expect ${what}, or use the arrow keys; then reveal.`;
    $(SKETCHES[name].box).focus();
  }

  function reveal() {
    const points = handles(), names = axesOf(sketch.on);
    const [xs, ys] = [0, 1].map(k => points.map(p => value(names[k], p[k])));
    channel.say("sketched", {xs, ys, figure: sketch.on});
  }

  function reveals() {
    over = query;
    revealed = performance.now();
  }

  function forget() {
    sketch = guess = truth = over = null;
    task = -1;
    for (const {words} of Object.values(SKETCHES)) if ($(words)) $(words).textContent = "";
    draw();
  }

  function show() {
    for (const [name, {button, label}] of Object.entries(SKETCHES)) {
      const on = sketching && sketch.on === name;
      if (!$(button)) continue;
      $(button).hidden = task >= 0 || (sketching && !on);
      $(button).textContent = on ? "Reveal" : label;
      $(button).classList.toggle("primary", on);
    }
    const onCurve = sketching && sketch.on === "curve";
    $("sketcher")?.setAttribute("tabindex", onCurve ? 0 : -1);
    figures.touch("curve", onCurve || (task >= 0 && over === null) ? "none" : "pan-y pinch-zoom");
    plane.leave(sketching && sketch.on === "diagram");
    figures.touch("diagram", sketching && sketch.on === "diagram" ? "none" : "pan-y pinch-zoom");
  }

  // -- what the desk says ----------------------------------------------------------------------------------------------

  channel.hear("asking", ({index, hidden}) => {
    if (index >= 0) {
      if (index !== task || over !== null) forget();
      task = index;
    } else if (!hidden.length && over === null) forget(); // it was left, or shown without an answer
    if (!hidden.length) sketching = false;
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
      $(SKETCHES[sketch.on].words).textContent = text;
      const axes = axesOf(sketch.on).map(name => controls[name]?.title ?? titles[name]);
      keep(sketch.on === "curve" ? `${axes[1]} along ${axes[0]}` : `a boundary of ${axes[0]} and ${axes[1]}`, right, text);
      return;
    }
    if (index === task) {
      truth = number;
      reveals();
      draw();
    }
    keep(`task ${index + 1}`, right, text);
  });

  channel.hear("guesses", ({index, guesses, text}) => {
    others = {index, guesses};
    Object.assign($("classmates"), {hidden: false, textContent: text});
    draw();
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

  // Any word that this browser always says in its class, so that nobody guesses twice.
  function who() {
    try {
      const known = localStorage.getItem(WHO) ?? Math.random().toString(36).slice(2);
      localStorage.setItem(WHO, known);
      return known;
    } catch {
      return "";
    }
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
    for (const [name, {button, box}] of Object.entries(SKETCHES)) {
      $(button)?.addEventListener("click", () => sketching ? reveal() : begin(name));
      $(box)?.addEventListener("keydown", press);
    }
    $("guess").addEventListener("input", ({target}) => {
      const number = Number(target.value.replace(",", "."));
      guess = target.value.trim() && Number.isFinite(number) ? number : null;
      draw();
    });
    $("kept-save")?.addEventListener("click", save);
    $("kept-forget")?.addEventListener("click", () => { write([]); toast("Forgotten.", "info"); });
    if ($("kept")) tellKept();
  }

  return {wire, who, isOn: name => sketching && sketch.on === name};
}
