// The address of the page: a link says everything, the exploration after "?", and after "#" how one looks at it (pane,
// speed).

const STEP_MS = 1000; // a gesture is one step of back and forward, and so is what follows it soon

export function makeAddress(channel, {own, link: before}, stateNow, changed) {
  const look = new URLSearchParams(location.hash.slice(1));
  const page = () => `${location.origin}${location.pathname}${before ? `?${before.slice(0, -1)}` : ""}`;
  const link = () => {
    const state = stateNow();
    return `${location.pathname}${state ? `?${before}${state.query}` : location.search}${look.size ? `#${look}` : ""}`;
  };

  let due = null, written = null, stepped = 0, arriving = false;
  function rememberSoon() { // browsers allow only so many changes of the address a second
    clearTimeout(due);
    if (own) due = setTimeout(write, 250);
  }

  function write() {
    const state = stateNow();
    changed();
    const moved = state !== null && written !== null && state.query !== written && !arriving;
    if (state) written = state.query;
    arriving = false;
    if (link() === location.pathname + location.search + location.hash) return;
    if (moved && performance.now() - stepped > STEP_MS) {
      stepped = performance.now();
      history.pushState(null, "", link());
    } else history.replaceState(null, "", link());
  }

  function goWhereItLeads() {
    const query = location.search.slice(1);
    arriving = true;
    channel.say("go", {query: query.startsWith(before) ? query.slice(before.length) : query});
  }

  function remember(name, value, usual) {
    if (String(value) === String(usual)) look.delete(name); else look.set(name, value);
    rememberSoon();
  }

  function wire() {
    if (own) window.addEventListener("popstate", goWhereItLeads);
  }

  return {look, page, link, rememberSoon, remember, wire, remove: () => window.removeEventListener("popstate", goWhereItLeads)};
}
