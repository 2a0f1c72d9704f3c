// A word of the glossary explains itself where it stands: under the pointer, and when the keyboard comes to it.

const EDGE = 8; // pixels to the edge of the window, and between a word and its box

export function explainTerms(root) {
  const box = document.createElement("div");
  Object.assign(box, {className: "explains", id: "explains", hidden: true});
  box.setAttribute("role", "tooltip");
  root.append(box);
  let shown = null;

  function hide() {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    box.hidden = true;
  }

  function show(term) {
    if (term === shown) return;
    hide();
    shown = term;
    term.dataset.says ??= term.title; // the browser's own box would cover ours
    term.removeAttribute("title");
    term.setAttribute("aria-describedby", box.id);
    box.textContent = term.dataset.says;
    box.hidden = false;
    place();
  }

  function place() {
    const word = shown.getClientRects()[0], own = box.getBoundingClientRect();
    const left = Math.min(Math.max(EDGE, word.left), window.innerWidth - own.width - EDGE);
    const below = word.bottom + EDGE + own.height < window.innerHeight;
    box.style.left = `${left}px`;
    box.style.top = `${below ? word.bottom + EDGE : word.top - own.height - EDGE}px`;
  }

  const termOf = event => event.target.closest?.(".term");
  for (const name of ["pointerover", "focusin"]) {
    root.addEventListener(name, event => { const term = termOf(event); if (term) show(term); else hide(); });
  }
  root.addEventListener("focusout", hide);
  root.addEventListener("keydown", event => { if (event.key === "Escape" && shown) hide(); });
  window.addEventListener("scroll", () => { if (shown) place(); }, {passive: true});
}
