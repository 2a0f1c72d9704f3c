// The phase diagram: click, drag and arrow keys move the marker; buttons, keys and Ctrl + wheel zoom.

export function makePlane(root, channel, controlsOf, {controls, titles, decades}) {
  let figure = null;
  let frame = null; // of the figure: where its scales are
  let view = {};
  let left = false; // to somebody who sketches on it

  function turn(newView) { view = newView; }

  // What the picture says under the pointer.
  function read({x, y}) {
    const colour = figure.renderers.find(one => one.name === "colour");
    if (!colour.visible) return "";
    const column = name => { const {data} = colour.data_source; return (data.get?.(name) ?? data[name])[0]; };
    const image = column("image"), [rows, columns] = image.shape ?? [image.length, image[0].length];
    const row = Math.floor((y - column("y")) / column("dh") * rows), k = Math.floor((x - column("x")) / column("dw") * columns);
    if (!(row >= 0 && row < rows && k >= 0 && k < columns)) return "";
    const cell = image.shape ? image[row * columns + k] : image[row][k];
    const shown = decades.includes(view.colour) ? 10 ** cell : cell;
    const at = [["x", x], ["y", y]].map(([axis, where]) => `${controls[view[axis]].title} ${round(value(axis, where))}`);
    return `${at.join(", ")}: ${titles[view.colour]} ${Number.isNaN(shown) ? "unknown" : round(shown)}`;
  }
  const round = number => String(Number(number.toPrecision(3)));

  // A logarithmic control is drawn by its decimal logarithm: places on the axis and values of the control.
  const value = (axis, place) => controls[view[axis]].log ? 10 ** place : place;
  const place = (axis, value) => controls[view[axis]].log ? Math.log10(value) : value;

  function put(x, y) {
    const at = {x: controlsOf.allowed(view.x, x), y: controlsOf.allowed(view.y, y)};
    for (const axis of ["x", "y"]) {
      if (at[axis] === controlsOf.values[view[axis]]) continue;
      controlsOf.show(view[axis], at[axis]);
      controlsOf.moved(view[axis], at[axis]);
    }
    channel.sayLatest("marker", at);
  }

  function zoom(factor, cx = place("x", controlsOf.values[view.x]), cy = place("y", controlsOf.values[view.y])) {
    const window_ = {};
    for (const [axis, range, centre] of [["x", figure.x_range, cx], ["y", figure.y_range, cy]]) {
      const c = controls[view[axis]];
      const low = value(axis, centre - (centre - range.start) * factor);
      const high = value(axis, centre + (range.end - centre) * factor);
      window_[axis] = [Math.max(low, c.low), Math.min(high, c.high)];
    }
    channel.sayLatest("window", window_);
  }

  // A figure was put up.
  function take(found, shown) {
    figure = found;
    frame = shown.frame;
    const box = root.getElementById("plane"), readout = root.getElementById("readout");
    const follow = event => put(value("x", event.x), value("y", event.y));
    figure.on_event("tap", event => { box.focus({preventScroll: true}); if (!left) follow(event); });
    figure.on_event("pan", event => { if (!left) follow(event); });
    figure.on_event("mousemove", event => {
      Object.assign(pointer, {x: event.x, y: event.y});
      readout.textContent = read(event);
    });
    figure.on_event("mouseleave", () => { readout.textContent = ""; });
    fit();
  }

  const pointer = {x: null, y: null};

  // Whether a finger there is on the marker.
  const FINGER = 30;
  function isMarkerAt(clientX, clientY) {
    if (!frame) return false;
    const box = root.getElementById("plane").getBoundingClientRect();
    const at = [["x", clientX - box.left], ["y", clientY - box.top]].map(([axis, where]) => {
      const scale = axis === "x" ? frame.x_scale : frame.y_scale;
      return scale.compute(place(axis, controlsOf.values[view[axis]])) - where;
    });
    return Math.hypot(...at) < FINGER;
  }

  function fit() { // names of regions take less room in a small picture
    if (!figure) return;
    const size = root.getElementById("plane").clientWidth < 520 ? "12px" : "17px";
    for (const {name, glyph} of figure.renderers) {
      if (name.startsWith("regions") && glyph.text_font_size.value !== size) glyph.text_font_size = {value: size};
    }
  }

  function wire() {
    const box = root.getElementById("plane");
    if (!box) return;
    new ResizeObserver(fit).observe(box);
    box.addEventListener("wheel", event => {
      if (!event.ctrlKey || !figure) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.8 : 1.25, pointer.x ?? undefined, pointer.y ?? undefined);
    }, {passive: false});
    box.addEventListener("keydown", event => {
      if (left || event.target.closest("button") || event.ctrlKey || event.altKey || event.metaKey || !figure) return;
      const many = event.shiftKey ? 10 : 1;
      const moves = {
        ArrowLeft: ["x", -many], ArrowRight: ["x", many], ArrowUp: ["y", many], ArrowDown: ["y", -many],
        PageUp: ["y", 10], PageDown: ["y", -10],
      };
      const [axis, steps] = moves[event.key] ?? [];
      const edge = {Home: figure.x_range.start, End: figure.x_range.end}[event.key];
      if (axis) {
        const at = {x: controlsOf.values[view.x], y: controlsOf.values[view.y]};
        at[axis] = controlsOf.nudge(view[axis], steps);
        put(at.x, at.y);
      } else if (edge !== undefined) put(value("x", edge), controlsOf.values[view.y]);
      else if (event.key === "+" || event.key === "=") zoom(0.5);
      else if (event.key === "-") zoom(2);
      else if (event.key === "0") channel.say("window");
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    root.getElementById("zoom-in").addEventListener("click", () => zoom(0.5));
    root.getElementById("zoom-out").addEventListener("click", () => zoom(2));
    root.getElementById("zoom-all").addEventListener("click", () => channel.say("window"));
  }

  return {turn, take, wire, isMarkerAt, leave: on => { left = on; }};
}
