// Links: of this view, of a frame for somebody's page, and of a page that a teacher has prepared for a class.

export function makeShare(root, {link: before, own, words: called}, toast, stateNow) {
  const $ = id => root.getElementById(id);
  const all = selector => [...root.querySelectorAll(selector)];

  async function copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or not https: the old way
      const area = document.createElement("textarea");
      area.value = text;
      ($("class").open ? $("class") : root).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast(said, "info");
  }

  // What stands in the address before the words of a face: the system, where a page has several.
  const words = query => [...new URLSearchParams(before)].filter(([name]) => name === "system").concat(query);
  const address = query => `${location.origin}${location.pathname}?${new URLSearchParams(words(query)).toString().replaceAll("%2C", ",")}`;

  const whole = () => address([...new URLSearchParams(stateNow().query)]);
  const frame = source => `<iframe src="${source.replaceAll("&", "&amp;")}" width="760" height="480" style="border:0" title="${document.title}"></iframe>`;
  const embedded = () => frame(address([[called.ui, "bare"], ...new URLSearchParams(stateNow().query)]));

  let word = ""; // of the class that is prepared

  // The link of a class: the task says its controls and its view, the present view says the rest.
  function prepared() {
    const task = $("class-task")?.selectedOptions[0], set = Boolean(task?.value);
    const ui = $("class").querySelector("[name=class-ui]:checked").value;
    const names = (what, found) => found.length ? [[called[what], found.join(",")]] : [];
    const held = what => names(what, all("[data-hold]").filter(one => one.value === what).map(one => one.dataset.hold));
    const veil = names("veil", all("[data-veil-word]").filter(one => one.checked).map(one => one.dataset.veilWord));
    const group = set && $("class-collect").checked ? [[called.class, word]] : [];
    const own = new Set(set ? task.dataset.controls.split(" ") : []);
    const {view, query} = stateNow();
    const rest = [...new URLSearchParams(query)].filter(([name]) =>
      !own.has(name) && !(set && (name.replace("view_", "") in view || name.endsWith("_window") || name === "pins")));
    return address([[called.ui, ui], ...(set ? [[called.task, task.value]] : []), ...veil, ...held("lock"), ...held("hide"), ...group, ...rest]);
  }

  function wire() {
    if (!own) return;
    const menu = $("sharing");
    const on = (id, tell) => $(id)?.addEventListener("click", () => { menu.open = false; tell(); });
    on("share", () => copy(location.origin + stateNow().link, "Link copied. It restores exactly this view."));
    on("embed", () => copy(embedded(), "Code copied. It shows this view in a page of yours."));
    const show = () => { $("class-link").value = prepared(); };
    on("for-class", () => {
      word = Math.random().toString(36).slice(2, 8);
      show();
      $("class").showModal();
    });
    $("class")?.addEventListener("input", show);
    $("class-copy")?.addEventListener("click", () => copy(prepared(), "Link for the class copied."));
    $("class-open")?.addEventListener("click", () => window.open(prepared()));
    $("class-link")?.addEventListener("focus", ({target}) => target.select());
  }

  return {wire, copy, whole};
}
