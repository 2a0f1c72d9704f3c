// A page without a server: a desk that is a tape. What a server would say at the recorded points it says word for word;
// where the marker goes elsewhere it reads its numbers off the recorded plane.

import {render} from "./workbench.js";

const FRAMES_PER_SECOND = 15;
const NONE = 255, STABLE = 1, CHOSEN = 2; // of a plane: no line; bits of a state

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

// What `workbench/tape.py` has packed: the head, and its arrays by their names, as the bytes that Bokeh expects.
function readTape(buffer) {
  const start = 4 + new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, start - 4)));
  const read = new Map();

  function decoded([from, size, bits, low, high, steps]) {
    const bytes = buffer.slice(start + from, start + from + size);
    if (!bits) return bytes;
    const raw = new Uint8Array(bytes), n = 8 * size / bits, values = new Float32Array(n);
    const scale = (high - low) / (2 ** bits - 2);
    for (let k = 0, number = 0; k < n; k += 1) {
      const here = bits === 8 ? raw[k] : 256 * raw[k] + raw[n + k];
      number = steps ? (number + here) % 2 ** bits : here;
      values[k] = number ? low + (number - 1) * scale : NaN;
    }
    return values.buffer;
  }

  function array(name) {
    if (!read.has(name)) read.set(name, decoded(head.arrays[name]));
    return read.get(name);
  }
  return {...head, array};
}

// Bokeh finds its mathematics set already, under what it asks MathJax for.
function setMathematics(formulas, index) {
  const modules = {[index]: (require, module, exports) => {
    exports.tex2svg = formula => {
      const [, rgb, text] = /^\\color\[RGB\]\{([^}]*)\} (.*)$/s.exec(formula) ?? [null, "128,128,128", formula];
      const box = document.createElement("div");
      box.innerHTML = formulas[text.replace(/\\text\{\s*\}$/, "").replace(/ \}$/, "}")] ?? ""; // a label renewed ends with a space
      box.firstElementChild?.setAttribute("fill", `rgb(${rgb})`);
      return box.firstElementChild ? box : null;
    };
  }};
  Bokeh.register_plugin(modules, index, {"models/text/mathjax/main": index, "models/text/mathjax/index": index});
}

function makeDesk(tape, constants, receive, followed) {
  const {scenes, planes, parts, lines, told} = tape;
  const logarithmic = name => constants.decades.includes(name);
  let scene, plane, view, at, state, theme = "light", up = {};
  let playing = false, frame = 0, owed = 0, speed = 1, run = null, timer = null;
  let asking = -1; // the task that is to be answered before theory is seen

  // -- what is said: messages with the arrays that they name, in the colours of the theme

  const fresh = []; // arrays of this moment: "~0", "~1", ...
  const array = name => name.startsWith("~") ? fresh[Number(name.slice(1))] : tape.array(name);

  function say(...messages) {
    const names = new Map(), colours = theme === "dark" ? tape.dark : {};
    const veiled = messages.map(one => asking >= 0 && one.type === "asking" ? asked() : one);
    const text = JSON.stringify(veiled, (key, value) => {
      if (key !== "id" && typeof value === "string" && value in colours) return colours[value];
      if (key !== "id" || !/^~?\d+$/.test(value)) return value;
      if (!names.has(value)) names.set(value, String(names.size));
      return names.get(value);
    });
    const buffers = [...names.keys()].map(name => new Uint8Array(array(name)));
    const whole = new Uint8Array(buffers.reduce((sum, one) => sum + one.length, 0));
    let from = 0;
    for (const one of buffers) { whole.set(one, from); from += one.length; }
    fresh.length = 0;
    receive({text, sizes: buffers.map(one => one.length), buffer: whole.buffer});
  }

  function floats(values, shape = [values.length]) {
    fresh.push(Float32Array.from(values).buffer);
    return {type: "ndarray", array: {type: "bytes", data: {id: `~${fresh.length - 1}`}}, shape, dtype: "float32", order: "little"};
  }

  const change = (figure, part, attr, value) => ({kind: "ModelChanged", model: {id: parts[figure][part]}, attr, new: value});
  const put = (figure, layer, columns) => change(figure, `${layer}.source`, "data", {type: "map", entries: Object.entries(columns)});
  const veil = figure => (tape.veiled[figure] ?? []).map(layer => change(figure, layer, "visible", asking < 0));
  const draw = (figure, events, template = null) => ({
    type: "draw", figure, template, document: template && tape.templates[template], events: asking < 0 ? events : [...events, ...veil(figure)],
  });

  function drawn(figures) { // whole figures: put up first if they are not
    return Object.entries(figures).map(([figure, one]) => {
      const template = up[figure] === one.template ? null : one.template;
      up[figure] = one.template;
      const events = one[theme].map(number => told[number]);
      return draw(figure, figure === "diagram" && plane?.values[view.colour] ? [...events, picture()] : events, template);
    });
  }

  // -- the plane

  const grid = name => new Float32Array(tape.array(plane.values[name].id));
  const bytes = one => new Uint8Array(tape.array(one.id));
  const cells = () => plane.x.length * plane.y.length;

  function finer({values, picks, columns, rows}) { // between points of one state halfway; beside others as the nearest
    const wide = 2 * columns - 1, high = 2 * rows - 1;
    const made = {values: new Float32Array(wide * high), picks: new Uint8Array(wide * high), columns: wide, rows: high};
    for (let r = 0; r < high; r += 1) {
      for (let c = 0; c < wide; c += 1) {
        const around = [r >> 1, (r + 1) >> 1].flatMap(y => [c >> 1, (c + 1) >> 1].map(x => y * columns + x));
        const alike = around.every(k => picks[k] === picks[around[0]] && !Number.isNaN(values[k]));
        made.values[r * wide + c] = alike ? around.reduce((sum, k) => sum + values[k] / 4, 0) : values[around[0]];
        made.picks[r * wide + c] = picks[around[0]];
      }
    }
    return made;
  }

  function picture() {
    const all = grid(view.colour), picks = bytes(plane.picks), n = cells();
    const values = Float32Array.from(picks, (pick, k) => pick === NONE ? NaN : all[pick * n + k]);
    let shown = {values, picks, columns: plane.x.length, rows: plane.y.length};
    while (shown.columns < 200) shown = finer(shown);
    const ends = [plane.x, plane.y].map((places, axis) => {
      const low = places[0], high = places.at(-1), step = (high - low) / ((axis ? shown.rows : shown.columns) - 1);
      return [low - step / 2, high - low + step];
    });
    return put("diagram", "colour", {
      image: [floats(shown.values, [shown.rows, shown.columns])],
      x: [ends[0][0]], y: [ends[1][0]], dw: [ends[0][1]], dh: [ends[1][1]],
    });
  }

  const place = (name, value) => constants.controls[name].log ? Math.log10(value) : value;

  function where(axis) { // the nearest point of the grid, and how far on to the next the marker is
    const places = plane[axis], here = place(state.view[axis], at[axis]);
    const k = Math.min(Math.max(places.findLastIndex(one => one <= here), 0), places.length - 2);
    const part = Math.min(Math.max((here - places[k]) / (places[k + 1] - places[k]), 0), 1);
    return {k, part, nearest: k + (part > 0.5 ? 1 : 0)};
  }

  function row(name) { // values and kinds of all lines along the axis of the curve, through the marker
    const all = grid(name), kinds = bytes(plane.kinds), columns = plane.x.length, n = cells();
    const across = view.along === "x", {k, part, nearest} = where(across ? "y" : "x");
    const cell = (line, i, j) => line * n + (across ? j * columns + i : i * columns + j);
    return lines.map((line, number) => (across ? plane.x : plane.y).map((_, i) => {
      const [a, b] = [cell(number, i, k), cell(number, i, k + 1)], mine = cell(number, i, nearest);
      const between = kinds[a] === kinds[b] && Number.isFinite(all[a]) && Number.isFinite(all[b]);
      return {value: between ? all[a] + part * (all[b] - all[a]) : all[mine], kind: kinds[mine]};
    }));
  }

  function curve() {
    const rows = {xs: [], ys: [], colour: [], width: [], dash: []}, bounds = {xs: [], ys: [], colour: []};
    const places = view.along === "x" ? plane.x : plane.y, names = new Set();
    row(view.colour).forEach((points, number) => {
      const {colour: k, bounds: sides} = lines[number], bound = sides[view.colour], colours = constants.lines[theme], colour = colours[k % colours.length];
      const loose = points.map(({value, kind}) => !(kind & STABLE) && Number.isFinite(value));
      const kinds = {
        stable: ({kind}) => kind & STABLE, equilibrium: ({kind}) => kind & CHOSEN,
        unstable: (point, i) => loose[i] || loose[i - 1] || loose[i + 1],
      };
      for (const [name, width, dash] of tape.kinds) {
        const values = points.map((point, i) => kinds[name](point, i) ? point.value : NaN);
        const first = values.findIndex(Number.isFinite), last = values.findLastIndex(Number.isFinite);
        if (first < 0) continue;
        names.add(name).add(`line-${k}`);
        const row = [floats(places.slice(first, last + 1)), floats(values.slice(first, last + 1)), colour, width, dash];
        Object.values(rows).forEach((column, i) => column.push(row[i]));
      }
      const known = points.map(({value, kind}, i) => [places[i], value, kind]).filter(([, y, kind]) => kind & CHOSEN && Number.isFinite(y));
      if (!bound || !known.length) return;
      names.add("beyond");
      const xs = known.map(([x]) => x), far = bound === "upper" ? 1e6 : -1e6;
      bounds.xs.push(floats([...xs, ...xs.toReversed()]));
      bounds.ys.push(floats([...known.map(([, y]) => y), ...xs.map(() => far)]));
      bounds.colour.push(colour);
    });
    const range = plane.ranges[view.colour], events = [put("curve", "theory", rows), put("curve", "beyond", bounds)];
    const gone = ["live", "trail"].map(layer => put("curve", layer, {x: [], y: []}));
    if (range) {
      const [low, high] = range, margin = 0.06 * (high - low);
      gone.push(change("curve", "y_range", "start", low - margin), change("curve", "y_range", "end", high + margin));
    }
    const crossed = view.along === "x" ? "y" : "x"; // what was simulated belongs to this line
    if (at[crossed] !== home()[crossed]) {
      gone.push(...["samples", "points", "exact"].map(layer => put("curve", layer, {x: [], y: []})));
      gone.push(put("curve", "bars", {x0: [], y0: [], x1: [], y1: []}));
    } else names.add("points").add("exact");
    return [draw("curve", [...events, ...gone]), {type: "legend", figure: "curve", names: [...names]}];
  }

  // As `workbench/sentence.py` writes it.
  function number(value) {
    if (!Number.isFinite(value)) return "unknown";
    const size = Math.abs(value) < 1e-9 ? 0 : Math.abs(value), sign = value < 0 && size ? "-" : "";
    if (size >= 1e6 || (size > 0 && size < 1e-3)) return sign + String(Number(size.toPrecision(3)));
    return sign + (size >= 1000 ? Math.round(size).toLocaleString("en") : size.toFixed(3));
  }

  function valueHere() { // between four points of one state; beside others that of the nearest
    const x = where("x"), y = where("y"), all = grid(view.colour), picks = bytes(plane.picks);
    const cell = (i, j) => j * plane.x.length + i;
    const value = k => picks[k] === NONE ? NaN : all[picks[k] * cells() + k];
    const corners = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([i, j]) => ({
      k: cell(x.k + i, y.k + j), weight: (i ? x.part : 1 - x.part) * (j ? y.part : 1 - y.part),
    })).filter(({weight}) => weight > 0);
    const nearest = cell(x.nearest, y.nearest);
    const alike = corners.every(({k}) => picks[k] === picks[nearest] && Number.isFinite(value(k)));
    const found = alike ? corners.reduce((sum, {k, weight}) => sum + weight * value(k), 0) : value(nearest);
    return {cell: nearest, value: logarithmic(view.colour) ? 10 ** found : found};
  }

  function sentence() {
    const {cell, value} = valueHere(), words = plane.sentences[view.colour];
    const [headline, text, validity, verdict] = words.texts[bytes(words.which)[cell]];
    return {type: "sentence", headline, text: text.replace("\0", number(value)), validity, verdict};
  }

  // -- tasks, as `workbench/lesson.py` sets and judges them

  const asked = () => ({type: "asking", index: asking, hidden: asking < 0 ? [] : ["theory"]});

  function unveil() {
    if (asking < 0) return;
    asking = -1;
    say(asked(), ...Object.keys(up).map(figure => draw(figure, veil(figure))));
  }

  function set(index) {
    const there = scenes.find(one => one.task === index);
    unveil();
    play(false);
    run = null;
    if (there) enter(there);
    asking = revealed.has(index) ? -1 : index;
    say(asked(), ...Object.keys(up).map(figure => draw(figure, [])));
    tellRun();
  }

  const revealed = new Set();
  function judge(index, guess) {
    const {truth, tolerance, magnitude, lesson} = tape.tasks[index];
    const right = (magnitude ? Math.abs(Math.abs(guess) - Math.abs(truth)) : Math.abs(guess - truth)) <= tolerance;
    const text = `${right ? "Right" : "Not quite"}: the answer is ${number(truth)} (you said ${Number(guess.toPrecision(6))}).`;
    say({type: "answer", index, right, text, lesson, truth});
    revealed.add(index);
    if (index === asking) unveil();
  }

  // -- where it is

  const home = () => plane ? {x: scene.at[state.view.x], y: scene.at[state.view.y]} : {};
  const isHome = () => !plane || (at.x === home().x && at.y === home().y);
  const near = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

  function enter(next) {
    scene = next;
    plane = planes[scene.plane];
    up = {};
    [view] = [scene.view.split(" ")].map(([colour, along]) => ({colour, along}));
    state = stateOf();
    at = home();
    frame = 0;
    say(...scene.live.said.map(one => told[one]), ...drawn(scene.live.drawn));
    look();
  }

  const recorded = () => scene.views[`${view.colour} ${view.along}`] ?? scene.views[scene.view];
  const stateOf = () => recorded().said.map(one => told[one]).find(one => one.type === "state");

  function look() { // the view as it was recorded, and then whither the marker went
    state = stateOf();
    say(...recorded().said.map(one => told[one]), ...drawn(recorded().drawn));
    move(at);
  }

  function move(to) {
    const was = followed.dataset.away === "true";
    at = to;
    followed.dataset.away = !isHome();
    if (isHome()) {
      if (was) say(...recorded().said.map(one => told[one]), ...drawn(recorded().drawn));
      if (plane && !recorded().said.some(one => told[one].type === "sentence")) say(sentence()); // nothing was simulated here
      tellWhere();
      return;
    }
    const marker = (axis, name = "x") => ({[name]: [place(state.view[axis], at[axis])]});
    const here = view.along === "x" ? "x" : "y";
    say(
      draw("diagram", [
        put("diagram", "marker", {...marker("x"), ...marker("y", "y")}),
        put("diagram", "away", {x: [], y: [], Label: [], angle: []}),
      ]),
      ...(parts.curve ? curve() : []), draw("curve", parts.curve ? [put("curve", "marker", marker(here))] : []),
      sentence(), {type: "outside", text: ""}, ...["marker", "curve"].map(name => ({type: "table", name, head: "", columns: [], rows: []})),
    );
    tellWhere();
  }

  function tellWhere() {
    const values = {...state.values};
    if (plane) Object.assign(values, {[state.view.x]: at.x, [state.view.y]: at.y});
    const changed = Object.entries(values).map(([name, value]) => `${name}=${typeof value === "string" ? `"${value}"` : value}`);
    const python = `import mfexplore as mf\n\nmodel = mf.system("${tape.key}")(${changed.join(", ")})\nmodel.explore()`;
    const snippets = isHome() ? state.snippets : {python, sweep: "", citation: state.snippets.citation};
    say({...state, values, snippets, undo: false, redo: false, zoomed: false, preset: isHome() && scene.task < 0 ? scene.name : ""});
  }

  // -- the run

  function show(one) {
    const [said, figures] = one;
    const draws = Object.entries(figures)
      .filter(([figure]) => figure !== "curve" || (isHome() && scene.view === `${view.colour} ${view.along}`))
      .map(([figure, events]) => draw(figure, events.map(event => told[event])));
    const messages = said.map(number => told[number]);
    run = messages.find(message => message.type === "run") ?? run;
    say(...messages.filter(message => message.type !== "run" && message.figure !== "curve"), ...draws);
    tellRun();
  }

  function tellRun() {
    run ??= scene.live.said.map(number => told[number]).find(message => message.type === "run");
    if (run) say({...run, playing, finished: frame >= scene.frames.length});
  }

  function play(on) {
    if (on && frame >= scene.frames.length) rewind();
    playing = on && scene.frames.length > 0;
    clearInterval(timer);
    if (playing) timer = setInterval(tick, 1000 / FRAMES_PER_SECOND);
    tellRun();
  }

  function tick() {
    owed += speed;
    if (owed < 1) return;
    frame = Math.min(frame + Math.floor(owed), scene.frames.length);
    owed %= 1;
    show(scene.frames[frame - 1]);
    if (frame >= scene.frames.length) play(false);
  }

  function rewind() {
    frame = 0;
    run = null;
    say(...scene.live.said.map(one => told[one]), ...drawn(scene.live.drawn));
    if (isHome()) look();
    tellRun();
  }

  const hearers = {
    hello: message => { ({theme} = message); enter(scenes[0]); tellRun(); },
    theme: ({name}) => {
      theme = name;
      say(...drawn(scene.live.drawn));
      look();
      if (frame) show(scene.frames[frame - 1]);
    },
    task: ({index}) => set(index),
    reveal: ({index, guess}) => judge(index, guess),
    skip: unveil,
    preset: ({name}) => { unveil(); run = null; enter(scenes.find(one => one.name === name)); play(true); },
    reset: () => { unveil(); run = null; play(false); enter(scenes[0]); tellRun(); },
    view: ({name, value}) => {
      if (name in view) view = {...view, [name]: value};
      look();
    },
    marker: ({x, y}) => { if (plane) move({x: near(x, home().x) ? home().x : x, y: near(y, home().y) ? home().y : y}); },
    control: ({name, value}) => {
      const axis = ["x", "y"].find(one => state.view[one] === name);
      if (axis && Number.isFinite(value)) hearers.marker({...at, [axis]: value}); else tellWhere();
    },
    play: ({on}) => play(on),
    step: () => {
      play(false);
      if (frame < scene.frames.length) { frame += 1; show(scene.frames[frame - 1]); }
    },
    restart: () => { const on = playing; play(false); rewind(); play(on); },
    speed: ({value}) => { speed = value; },
    go: () => say({type: "notice", kind: "info", text: "A page without a server cannot go there; the app can."}),
  };

  return message => {
    hearers[message.type]?.(message);
    say({type: "ack", seq: message.seq});
  };
}

export async function openTape(root, library, text) {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await unpacked(library));
  document.head.append(script);
  const tape = readTape(await unpacked(text));
  setMathematics(tape.formulas, tape.mathematics);
  let receive;
  const model = {
    sheet: tape.sheet, constants: tape.constants,
    on: (name, hear) => { if (name === "msg:custom") receive = hear; },
    send_msg: message => queueMicrotask(() => desk(message)),
  };
  const desk = makeDesk(tape, tape.constants, message => {
    receive(message);
    keepWhatIsFixed(root, message);
  }, root);
  render({model, el: root});
  const note = document.createElement("p");
  note.className = "offline";
  note.textContent = tape.note;
  root.querySelector(".top").after(note);
  for (const chip of root.querySelectorAll("[data-preset]")) chip.hidden = !tape.scenes.some(one => one.name === chip.dataset.preset);
  for (const part of root.querySelectorAll("section:has([data-preset])")) part.hidden = !part.querySelector("[data-preset]:not([hidden])");
  root.dataset.open = true;
}

// Only the axes of the plane can be moved.
function keepWhatIsFixed(root, {text}) {
  const state = JSON.parse(text).find(message => message.type === "state");
  if (!state) return;
  for (const place of root.querySelectorAll("[data-control]")) {
    const free = [state.view.x, state.view.y].includes(place.dataset.control);
    for (const one of place.querySelectorAll("input, button")) one.disabled = !free;
  }
  for (const link of root.querySelectorAll("[data-reference]")) link.disabled = true;
}
