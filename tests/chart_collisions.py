"""Chart collisions: a script for a browser that finds words of a chart that lie on each other or are cut off."""

from __future__ import annotations

from typing import Final

COLLISIONS: Final = """
() => {
  const shown = [...document.querySelectorAll('svg[role=img]')].filter(svg => svg.getBoundingClientRect().width > 0);
  const found = [];
  for (const svg of shown) {
    const outer = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect()]);
    for (const [word, box] of boxes) {
      if (box.left < outer.left - 2 || box.right > outer.right + 2) found.push('cut: ' + word);
    }
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 4) found.push(boxes[i][0] + ' | ' + boxes[j][0]);
    }
  }
  return found;
}
"""
