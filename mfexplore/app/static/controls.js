// Sliders, number boxes, chips: generated from the declaration, each with one value and one way to change it.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function format(value) {
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) < 1e-3) { // three digits: more do not fit into the box
    const short = Number(value.toPrecision(3));
    return Math.abs(value) < 1e-4 ? short.toExponential() : String(short);
  }
  return String(Number(value.toFixed(Math.abs(value) >= 1000 ? 1 : 4)));
}

// A slider runs over 0..1000: linear or logarithmic in the value.
export function toSlide(c, value) {
  const t = c.log ? Math.log(value / c.low) / Math.log(c.high / c.low) : (value - c.low) / (c.high - c.low);
  return 1000 * clamp(t, 0, 1);
}

function fromSlide(c, position) {
  const t = position / 1000;
  return c.log ? c.low * (c.high / c.low) ** t : c.low + t * (c.high - c.low);
}

export function snap(c, value) {
  if (c.integer) return Math.round(clamp(value, c.low, c.high));
  if (c.log) return clamp(Number(value.toPrecision(3)), c.low, c.high);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(c.step)));
  return clamp(Number((Math.round(value / c.step) * c.step).toFixed(Math.min(digits, 12))), c.low, c.high);
}

export function radios(chips, choose) {
  chips.forEach((chip, index) => {
    chip.addEventListener("click", () => choose(chip));
    chip.addEventListener("keydown", event => {
      const move = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
      if (!move) return;
      event.preventDefault();
      const next = chips[(index + move + chips.length) % chips.length];
      next.focus();
      choose(next);
    });
  });
}

export function makeControls(root, channel, controls) {
  const values = {};
  const locked = new Set(); // what the link of the page holds fast
  const movers = []; // told what a hand has moved, and to which value
  let held = null; // the control under the finger: what comes back from the server must not move it

  function nudge(name, steps) {
    const c = controls[name], now = values[name];
    if (!c.log) return snap(c, now + steps * c.step);
    const moved = now * (c.high / c.low) ** (steps / 200);
    return c.integer && Math.round(moved) === now ? clamp(now + Math.sign(steps), c.low, c.high) : snap(c, moved);
  }

  function show(name, value) {
    values[name] = value;
    const place = root.querySelector(`[data-control="${name}"]`);
    if (!place) return;
    if (controls[name].choice) {
      for (const chip of place.querySelectorAll(".chip")) {
        const on = chip.dataset.option === value;
        chip.setAttribute("aria-checked", on);
        chip.tabIndex = on ? 0 : -1;
      }
      return;
    }
    const slide = place.querySelector("[type=range]"), box = place.querySelector(".number");
    const position = toSlide(controls[name], value);
    if (held !== slide) slide.value = position;
    slide.style.setProperty("--filled", `${position / 10}%`);
    slide.setAttribute("aria-valuetext", format(value));
    if (box.getRootNode().activeElement !== box) box.value = format(value);
  }

  function moved(name, value) {
    for (const tell of movers) tell(name, value);
  }

  function lock(names) {
    locked.clear();
    for (const name of names) locked.add(name);
    for (const place of root.querySelectorAll("[data-control]")) {
      const on = locked.has(place.dataset.control);
      place.classList.toggle("locked", on);
      for (const one of place.querySelectorAll("input, button")) one.disabled = on;
    }
  }

  // The nearest value that a hand may choose.
  const allowed = (name, value) => locked.has(name) ? values[name] : snap(controls[name], value);

  function set(name, value) {
    moved(name, value);
    move(name, value);
  }

  // The same, not by a hand on this page.
  function move(name, value) {
    if (locked.has(name)) return;
    show(name, value);
    channel.sayLatest("control", {name, value}, `control-${name}`);
  }

  function wireNumber(place, name) {
    const c = controls[name];
    const slide = place.querySelector("[type=range]"), box = place.querySelector(".number");
    Object.assign(slide, {min: 0, max: 1000, step: "any"});
    slide.addEventListener("input", () => { held = slide; set(name, snap(c, fromSlide(c, Number(slide.value)))); });
    slide.addEventListener("change", () => { held = null; show(name, values[name]); });
    slide.addEventListener("keydown", event => {
      const steps = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10}[event.key];
      const edge = {Home: c.low, End: c.high}[event.key];
      if (steps === undefined && edge === undefined) return;
      event.preventDefault();
      set(name, edge ?? nudge(name, steps * (event.shiftKey ? 10 : 1)));
    });
    const commit = () => {
      const text = box.value.trim().replace(",", ".");
      if (text === format(values[name])) return;
      // Whatever was typed goes to the server: it knows what is allowed, and says so.
      const value = text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
      if (typeof value === "number") moved(name, value);
      channel.say("control", {name, value});
    };
    box.addEventListener("change", commit);
    box.addEventListener("focus", () => box.select());
    box.addEventListener("keydown", event => {
      if (event.key === "Enter") box.blur(); // which is what makes it a change
      if (event.key === "Escape") { box.value = format(values[name]); box.blur(); }
    });
  }

  function wire() {
    for (const place of root.querySelectorAll("[data-control]")) {
      const name = place.dataset.control;
      if (!controls[name].choice) { wireNumber(place, name); continue; }
      radios([...place.querySelectorAll(".chip")], chip => {
        moved(name, chip.dataset.option);
        show(name, chip.dataset.option);
        channel.say("control", {name, value: chip.dataset.option});
      });
    }
  }

  return {values, show, nudge, wire, lock, allowed, move, moved, whenMoved: tell => movers.push(tell)};
}
