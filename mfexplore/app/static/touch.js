// A finger that swipes over a plane scrolls the page; one that taps, or begins on the marker, moves it.

const MOVED = 8; // pixels

export function guardTouch(box, isMarkerAt) {
  let start = null; // of a finger that has not to do with the marker

  box.addEventListener("pointerdown", event => {
    if (event.pointerType !== "touch") return;
    const grabs = isMarkerAt(event.clientX, event.clientY);
    start = grabs ? null : {id: event.pointerId, x: event.clientX, y: event.clientY, moved: false};
  }, true);
  box.addEventListener("touchstart", event => {
    const [finger] = event.touches;
    if (event.touches.length === 1 && isMarkerAt(finger.clientX, finger.clientY)) event.preventDefault();
  }, {passive: false});
  box.addEventListener("pointermove", event => {
    if (start?.id !== event.pointerId) return;
    start.moved ||= Math.hypot(event.clientX - start.x, event.clientY - start.y) > MOVED;
    event.stopPropagation();
  }, true);
  box.addEventListener("pointerup", event => {
    if (start?.id !== event.pointerId || !start.moved) return;
    event.stopPropagation();
    const {pointerId, pointerType} = event; // the figure forgets the finger
    event.composedPath()[0].dispatchEvent(new PointerEvent("pointercancel", {pointerId, pointerType, bubbles: true, composed: true}));
  }, true);
}
