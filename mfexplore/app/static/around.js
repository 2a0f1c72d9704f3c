// The page around a bare one, if it is of the same server: it is told what happens here, and may move what a hand may.

export function makeAround(channel, controls, {own, ui}, setTheme) {
  const there = own && ui === "bare" && window.parent !== window;
  const tell = message => { if (there) window.parent.postMessage({mfexplore: message}, location.origin); };

  controls.whenMoved((name, value) => tell({moved: {[name]: value}}));
  channel.hear("state", ({query, values}) => tell({state: {query, values}}));

  function hear({data, source, origin}) {
    const said = data?.mfexplore;
    if (!said || source !== window.parent || origin !== location.origin) return;
    for (const [name, value] of Object.entries(said.move ?? {})) controls.move(name, value);
    if (said.play !== undefined) channel.say("play", {on: Boolean(said.play)});
    if (said.restart) channel.say("restart");
    if (said.theme) setTheme(said.theme);
  }

  if (there) window.addEventListener("message", hear);
  return {remove: () => window.removeEventListener("message", hear)};
}
