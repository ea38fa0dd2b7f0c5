"""The totals by number of stores, drawn as bars."""

from splitcart.cart.plan import Answer, dollars

WIDTH, HEIGHT, FOOT, HEAD = 360, 200, 34, 26
GOODS, BESIDE = "#2d6a4f", "#b5562b"


def chart(answer: Answer) -> str:
    """An SVG figure: a bar for each plan, goods below, fees and stops above."""
    most = max((plan.total_cents for plan in answer.plans), default=0) or 1
    step = WIDTH / len(answer.plans)
    thick = min(56.0, step * 0.7)
    bars = []
    for at, plan in enumerate(answer.plans):
        left, middle = step * at + (step - thick) / 2, step * (at + 0.5)
        goods, beside = (HEIGHT * cents / most for cents in (plan.goods_cents, plan.total_cents - plan.goods_cents))
        floor = HEAD + HEIGHT
        mark = ' class="chosen"' if plan is answer.recommended else ""
        bars.append(_bar(left, floor - goods, thick, goods, GOODS))
        bars.append(_bar(left, floor - goods - beside, thick, beside, BESIDE))
        top = floor - goods - beside - 6
        total = f"${(plan.total_cents + 50) // 100}" if plan.lines else "none"
        bars.append(f'<text{mark} x="{middle:.1f}" y="{top:.1f}">{total}</text>')
        bars.append(f'<text{mark} x="{middle:.1f}" y="{floor + 15}">{plan.max_stores}</text>')
    label = "; ".join(f"{p.max_stores}: {dollars(p.total_cents) if p.lines else 'no plan'}" for p in answer.plans)
    size = f"0 0 {WIDTH} {HEAD + HEIGHT + FOOT}"
    return (
        f'<figure>\n<svg viewBox="{size}" role="img" aria-label="Total by the number of stores allowed. {label}">\n'
        + "\n".join(bars)
        + f'\n<text x="{WIDTH / 2}" y="{HEAD + HEIGHT + 31}">stores allowed</text>\n</svg>\n'
        + f'<figcaption><span class="key" style="background:{GOODS}"></span>goods '
        + f'<span class="key" style="background:{BESIDE}"></span>fees and stops</figcaption>\n</figure>'
    )


def _bar(left: float, top: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
