// Keys of the whole page: undo and redo, and single letters for who wants them.

export function makeKeys(root, channel, own) {
  const $ = id => root.getElementById(id);
  const all = selector => [...root.querySelectorAll(selector)];

  // Returns what forgets them.
  return function wire() {
    const single = $("single-keys");
    single.checked = !/(?:^|; )mfexplore-keys=off/.test(document.cookie);
    single.addEventListener("change", () => {
      document.cookie = `mfexplore-keys=${single.checked ? "on" : "off"}; path=/; max-age=31536000; samesite=lax`;
    });
    // The whole page is the workbench's, or only what has the focus in somebody else's.
    const where = own ? document : root;
    const pressed = event => {
      const [target] = event.composedPath();
      const typing = target.closest?.("input:not([type=range]), select, textarea, dialog");
      if ((event.ctrlKey || event.metaKey) && !typing) {
        const key = event.key.toLowerCase();
        if (key !== "z" && key !== "y") return;
        event.preventDefault();
        if (key === "y" || event.shiftKey) channel.say("redo"); else channel.say("undo");
        return;
      }
      if (event.key === "Escape") for (const menu of all("details.menu")) menu.open = false;
      if (typing || event.altKey || event.metaKey || !single.checked) return;
      if (event.key === " " && !target.closest?.("button, summary")) { event.preventDefault(); $("play")?.click(); }
      if (event.key === "?") $("keys").showModal();
      const click = {s: "step", r: "restart", p: "pin"}[event.key.toLowerCase()];
      if (click) $(click)?.click();
    };
    where.addEventListener("keydown", pressed);
    return () => where.removeEventListener("keydown", pressed);
  };
}
