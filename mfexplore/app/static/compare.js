// Two live states side by side: each is a bare page in a frame. With common sliders, what a hand moves in one moves in both.

const frames = [...document.querySelectorAll("iframe")], common = document.getElementById("common");
const states = new Map(); // by frame: what its page said last
const words = name => name.replaceAll("_", " ");
const short = value => typeof value === "number" ? String(Number(value.toPrecision(4))) : value;
const tell = (frame, message) => frame.contentWindow.postMessage({mfexplore: message}, location.origin);

function remember() { // the address says both, and whether they move together
  const query = new URLSearchParams({system: document.getElementById("main").dataset.system});
  for (const frame of frames) query.set(frame.name, states.get(frame)?.query ?? "");
  if (common.checked) query.set("common", "1");
  history.replaceState(null, "", `?${query}`);
}

function differ() {
  const [one, two] = frames.map(frame => states.get(frame)?.values);
  if (!one || !two) return;
  const names = Object.keys(one).filter(name => one[name] !== two[name]);
  for (const frame of frames) {
    const {values} = states.get(frame), place = frame.previousElementSibling;
    place.replaceChildren(...names.flatMap(name => {
      const value = document.createElement("b");
      value.textContent = short(values[name]);
      return [`${words(name)} `, value, "  "];
    }));
    if (!names.length) place.textContent = "the same controls";
  }
}

window.addEventListener("message", ({data, source, origin}) => {
  const said = data?.mfexplore, frame = frames.find(one => one.contentWindow === source);
  if (!said || !frame || origin !== location.origin) return;
  if (said.state) {
    states.set(frame, said.state);
    differ();
    remember();
  }
  if (said.moved && common.checked) for (const other of frames) if (other !== frame) tell(other, {move: said.moved});
});

common.addEventListener("change", remember);
const play = document.getElementById("play");
play.addEventListener("click", () => {
  const on = play.getAttribute("aria-pressed") !== "true";
  play.setAttribute("aria-pressed", on);
  play.textContent = on ? "❚❚ Pause both" : "▶ Play both";
  for (const frame of frames) tell(frame, {play: on});
});
document.getElementById("restart").addEventListener("click", () => { for (const frame of frames) tell(frame, {restart: true}); });
new MutationObserver(() => { // light or dark, as the page around
  for (const frame of frames) tell(frame, {theme: document.documentElement.dataset.theme});
}).observe(document.documentElement, {attributeFilter: ["data-theme"]});
