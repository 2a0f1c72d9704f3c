// Figures: put up from the JSON that the server keeps, then changed by patches in Bokeh's own words.

// What the server keeps, fetched once however many figures want it.
const templates = new Map();

function fetched(name) {
  if (!templates.has(name)) {
    templates.set(name, fetch(`figures/${name}.json`).then(answer => {
      if (!answer.ok) throw new Error(`The figure ${name} is not there.`);
      return answer.json();
    }));
  }
  return templates.get(name);
}

// Bokeh sets mathematics with a script of its own, which has to be there before the first figure.
let mathematics = null;

function loadMathematics() {
  mathematics ??= new Promise(done => {
    const script = [...document.scripts].find(one => /bokeh(-\d[^/]*)?(\.min)?\.js/.test(one.src));
    if (!script || document.querySelector("script[src*=bokeh-mathjax]")) return done();
    const more = document.createElement("script");
    more.src = script.src.replace(/bokeh((-\d[^/]*?)?(\.min)?\.js)/, "bokeh-mathjax$1");
    more.onload = more.onerror = done;
    document.head.append(more);
  });
  return mathematics;
}

// Where no graphics card computes WebGL, to copy its picture takes many times as long as to draw without it.
const noCard = (() => {
  const gl = document.createElement("canvas").getContext("webgl");
  if (!gl) return true;
  const named = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER;
  const found = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(gl.getParameter(named));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return found;
})();

export function makeFigures(root, channel) {
  const places = new Map(); // by name: the figure that is up, and what waits for it

  function place(name) {
    if (!places.has(name)) places.set(name, {model: null, waiting: [], wanted: ""});
    return places.get(name);
  }

  async function putUp(name, template, given) {
    const mine = place(name), target = root.querySelector(`[data-figure="${name}"]`);
    mine.wanted = template;
    mine.waiting = [];
    takeDown(mine);
    const [json] = await Promise.all([given ? JSON.parse(given) : fetched(template), loadMathematics()]);
    if (mine.wanted !== template || !target?.isConnected) return;
    const box = document.createElement("div");
    box.className = "root";
    target.replaceChildren(box);
    const item = structuredClone(json);
    if (noCard) for (const {attributes} of item.doc.roots) attributes.output_backend = "canvas";
    const views = await Bokeh.embed.embed_item(item, box);
    const [view] = views.roots ?? [...views];
    if (mine.wanted !== template) { view.remove(); return; }
    Object.assign(mine, {view, model: view.model});
    letThePageHaveItsOwn(box);
    mine.model.name = name;
    for (const [events, buffers] of mine.waiting.splice(0)) apply(mine, events, buffers);
    for (const size of ["inner_width", "inner_height"]) {
      mine.model.properties[size].change.connect(() => tellSize(name, mine.model));
    }
    tellSize(name, mine.model);
    for (const tell of mine.then ?? []) tell(mine.model, view);
  }

  // Bokeh makes a layer of every figure a stop of the keyboard that has no name and does nothing there, and lets no
  // finger scroll the page over it.
  function letThePageHaveItsOwn(box) {
    for (const one of box.querySelectorAll("*")) {
      if (one.classList.contains("bk-events")) {
        one.tabIndex = -1;
        one.style.touchAction = "pan-y pinch-zoom";
      }
      if (one.shadowRoot) letThePageHaveItsOwn(one.shadowRoot);
    }
  }

  function takeDown(mine) {
    if (!mine.model) return;
    const {document: bokeh} = mine.model;
    mine.view.remove();
    const k = Bokeh.documents.indexOf(bokeh);
    if (k >= 0) Bokeh.documents.splice(k, 1);
    mine.model = mine.view = null;
  }

  const sizes = new Map();
  function tellSize(name, {inner_width: width, inner_height: height}) {
    if (!(width > 0 && height > 0) || sizes.get(name) === `${width} ${height}`) return;
    sizes.set(name, `${width} ${height}`);
    channel.sayLatest("resized", {figure: name, width, height}, `resized-${name}`);
  }

  function apply(mine, events, buffers) {
    mine.model.document.apply_json_patch({events}, buffers);
  }

  channel.hear("draw", ({figure, template, document: given, events}, buffers) => {
    if (template) putUp(figure, template, given);
    const mine = place(figure);
    if (mine.model) apply(mine, events, buffers); else mine.waiting.push([events, buffers]);
  });

  // Whether a finger on a figure scrolls the page, or draws.
  function touch(name, action) {
    const look = node => {
      for (const one of node.querySelectorAll("*")) {
        if (one.classList.contains("bk-events")) one.style.touchAction = action;
        if (one.shadowRoot) look(one.shadowRoot);
      }
    };
    const box = root.querySelector(`[data-figure="${name}"]`);
    if (box) look(box);
  }

  return {
    touch,
    get: name => place(name).model,
    then: (name, tell) => { (place(name).then ??= []).push(tell); },
    remove: () => { for (const mine of places.values()) { mine.wanted = ""; takeDown(mine); } },
  };
}
