"""An oracle for the gateway's rate limits: what docs/gateway.md says, in integers of any size and nothing else.

The gateway keeps a theoretical arrival time (virtual scheduling, ITU-T I.371); this is the other form of the
same algorithm, a bucket that leaks: a level, and the instant at which it was that. One unit of the level is a
nanosecond divided by the rate's count, so that everything is whole.
"""

from __future__ import annotations

import base64
import email.utils
from dataclasses import dataclass, field

NS = 1_000_000_000
MS = 1_000_000
DAY_NS = 86_400 * NS
WORDS = {"requests": "requests", "content-bytes": "content-bytes", "tokens": "tokens"}
KONG = (("second", 1_000), ("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000))


# The longest time that is told, in nanoseconds: 584 years.
LONGEST = 2**64 - 1


def up(number: int, by: int) -> int:
    """Divides and rounds up."""
    return -(-number // by)


def span(number: int, by: int) -> int:
    """The same for nanoseconds."""
    return min(up(number, by), LONGEST)


@dataclass
class Rate:
    """`count` units in `period_ms`, `burst` at once."""

    name: str
    count: int
    period_ms: int
    burst: int
    window: str
    unit: str = "requests"
    level: int = 0
    at: int = 0
    period: int = 0
    used: int = 0

    @property
    def limit(self) -> int:
        return self.count if self.window == "fixed" else self.burst

    @property
    def window_s(self) -> int:
        period = self.period_ms * MS
        if self.window == "fixed":
            return max(1, up(period, NS))
        return max(1, up(period * self.burst, self.count * NS))

    def _level(self, now: int) -> int:
        return max(0, self.level - (now - self.at) * self.count)

    def _period(self, now: int) -> tuple[int, int]:
        """The period that counts, which never goes back, and what is used of it."""
        number = now // (self.period_ms * MS)
        return (number, 0) if number > self.period else (self.period, self.used)

    def wait(self, now: int, cost: int) -> int | None:
        cost = min(cost, self.limit)
        if self.window == "fixed":
            number, used = self._period(now)
            return None if used + cost <= self.count else (number + 1) * self.period_ms * MS - now
        unit = self.period_ms * MS
        over = self._level(now) + cost * unit - self.burst * unit
        return None if over <= 0 else span(over, self.count)

    def take(self, now: int, cost: int) -> None:
        cost = min(cost, self.limit)
        if self.window == "fixed":
            number, used = self._period(now)
            self.period, self.used = number, used + cost
        else:
            self.level = self._level(now) + cost * self.period_ms * MS
            self.at = now

    def left(self, now: int) -> tuple[int, int]:
        """Whole units left, and nanoseconds until all are there."""
        if self.window == "fixed":
            number, used = self._period(now)
            return max(0, self.count - used), (number + 1) * self.period_ms * MS - now
        level, unit = self._level(now), self.period_ms * MS
        return max(0, self.burst * unit - level) // unit, span(level, self.count)


@dataclass
class Item:
    name: str
    unit: str
    limit: int
    window_s: int
    count: int
    period_ms: int
    left: int
    whole_in: int
    key: str


@dataclass
class Limiter:
    """All limits of one caller."""

    limits: dict
    window: str = "rolling"
    policies: list = field(default_factory=list)
    dialect: str = "draft10"
    retry_after: str = "seconds"
    pk: bool = False
    conc: bool = False

    def __post_init__(self) -> None:
        own = self.limits
        self.rate = Rate("burst", own["count"], own["period_ms"], own["burst"], self.window)
        self.day, self.of_day = 0, 0
        self.running = 0
        self.partitions: dict[tuple[int, str], Rate] = {}

    def _concerned(self, call: dict) -> list[tuple[Rate, int, str]]:
        found = []
        for at, policy in enumerate(self.policies):
            op = policy.get("op")
            if op is not None and not (call["op"].startswith(op[:-1]) if op.endswith("*") else call["op"] == op):
                continue
            key = {"tenant": call["tenant"], "path": call["path"], "credential": hashed(call["cred"])}[
                policy.get("partition", "tenant")
            ]
            unit = policy.get("unit", "requests")
            cost = {"requests": 1, "content-bytes": call["body"], "tokens": call["tokens"]}[unit]
            if cost is None:
                cost = max(1, up(call["body"], 4))
            if (at, key) not in self.partitions:
                window = policy.get("window") or self.window
                burst = policy.get("burst") or policy["count"]
                rate = Rate(policy["name"], policy["count"], policy["period_ms"], burst, window, unit)
                self.partitions[at, key] = rate
            found.append((self.partitions[at, key], cost, key))
        return found

    def decide(self, now: int, call: dict) -> dict:
        concerned = self._concerned(call)
        day, of_day = (now // DAY_NS, 0) if now // DAY_NS > self.day else (self.day, self.of_day)
        refusals: list[tuple[str, int]] = []
        if (wait := self.rate.wait(now, 1)) is not None:
            refusals.append(("burst", wait))
        per_day, most = self.limits.get("per_day"), self.limits.get("concurrency")
        if per_day is not None and of_day >= per_day:
            refusals.append(("day", (day + 1) * DAY_NS - now))
        crowded = most is not None and self.running >= most
        if crowded:
            refusals.append(("concurrency", NS))
        refusals += [(rate.name, wait) for rate, cost, _ in concerned if (wait := rate.wait(now, cost)) is not None]
        if not refusals:
            self.rate.take(now, 1)
            for rate, cost, _ in concerned:
                rate.take(now, cost)
            of_day += 1
            self.day, self.of_day = day, of_day
            self.running += 1
        items = [self._item(self.rate, now, call["tenant"])]
        if per_day is not None:
            ends = (day + 1) * DAY_NS - now
            left = max(0, per_day - of_day)
            items.append(Item("day", "requests", per_day, 86_400, per_day, 86_400_000, left, ends, call["tenant"]))
        items += [self._item(rate, now, key) for rate, _, key in concerned]
        headers = self._headers(items, now, crowded)
        wait = max((wait for _, wait in refusals), default=0)
        if refusals:
            headers |= self._asked(wait, now)
        return {
            "s": 429 if refusals else 200,
            "h": headers,
            "w": wait,
            "v": [name for name, _ in refusals],
        }

    def _item(self, rate: Rate, now: int, key: str) -> Item:
        left, whole_in = rate.left(now)
        return Item(rate.name, rate.unit, rate.limit, rate.window_s, rate.count, rate.period_ms, left, whole_in, key)

    def _asked(self, wait: int, now: int) -> dict[str, str]:
        if self.retry_after == "seconds":
            return {"retry-after": str(max(1, up(wait, NS)))}
        if self.retry_after == "http-date":
            return {"retry-after": email.utils.formatdate(up(min(now + wait, LONGEST), NS), usegmt=True)}
        if self.retry_after == "ms":
            return {"retry-after-ms": str(max(1, up(wait, MS)))}
        return {"retry-after": "soon"} if self.retry_after == "malformed" else {}

    def _headers(self, items: list[Item], now: int, crowded: bool) -> dict[str, str]:
        requests = [item for item in items if item.unit == "requests"]
        tight = min(requests, key=lambda item: (item.left, -item.whole_in))
        reset, whole_at = up(tight.whole_in, NS), up(min(now + tight.whole_in, LONGEST), NS)
        quotas = ", ".join(f"{item.limit};w={item.window_s}" for item in requests)
        triple = {
            "ratelimit-limit": str(tight.limit),
            "ratelimit-remaining": str(tight.left),
            "ratelimit-reset": str(reset),
        }
        x = {"x-ratelimit-limit": str(tight.limit), "x-ratelimit-remaining": str(tight.left)}
        dialect = self.dialect
        if dialect == "draft10":
            return self._draft10(items, crowded)
        if dialect == "draft07":
            left = f"limit={tight.limit}, remaining={tight.left}, reset={reset}"
            return {"ratelimit": left, "ratelimit-policy": quotas}
        if dialect == "draft06":
            return triple | {"ratelimit-policy": quotas}
        if dialect == "draft05":
            return triple | {"ratelimit-limit": f"{tight.limit}, {quotas}"}
        if dialect == "triple":
            return triple
        if dialect == "x-ratelimit":
            return x | {"x-ratelimit-reset": str(reset)}
        if dialect == "tyk":
            return x | {"x-ratelimit-reset": str(whole_at)}
        if dialect == "github":
            resource = "core" if tight.name in {"burst", "day"} else tight.name
            used = {"x-ratelimit-used": str(max(0, tight.limit - tight.left)), "x-ratelimit-resource": resource}
            return x | {"x-ratelimit-reset": str(whole_at)} | used
        if dialect == "apisix":
            millis = up(tight.whole_in, MS)
            return x | {"x-ratelimit-reset": f"{millis // 1000}.{millis % 1000:03}"}
        if dialect == "openai":
            said = {}
            for unit in ("requests", "tokens"):
                of_unit = [item for item in items if item.unit == unit]
                if of_unit:
                    item = min(of_unit, key=lambda item: (item.left, -item.whole_in))
                    said[f"x-ratelimit-limit-{unit}"] = str(item.limit)
                    said[f"x-ratelimit-remaining-{unit}"] = str(item.left)
                    said[f"x-ratelimit-reset-{unit}"] = duration(item.whole_in)
            return said
        if dialect == "kong":
            said = {}
            for item in sorted(requests, key=lambda item: -item.left):
                word, length = next((named for named in KONG if named[1] >= item.period_ms), KONG[-1])
                said[f"x-ratelimit-limit-{word}"] = str(item.count * length // item.period_ms)
                said[f"x-ratelimit-remaining-{word}"] = str(item.left)
            return said | triple
        if dialect == "malformed":
            return {"ratelimit": '"burst;r=;t=soon', "ratelimit-policy": "burst q=many, ;w=-1"}
        return {}

    def _draft10(self, items: list[Item], crowded: bool) -> dict[str, str]:
        policies, left = [], []
        for item in items:
            unit = "" if item.unit == "requests" else f';qu="{WORDS[item.unit]}"'
            key = f";pk=:{base64.b64encode(item.key.encode()).decode()}:" if self.pk else ""
            policies.append(f'"{item.name}";q={item.limit};w={item.window_s}{unit}{key}')
            left.append(f'"{item.name}";r={item.left};t={up(item.whole_in, NS)}{key}')
        most = self.limits.get("concurrency")
        if most is not None and (self.conc or crowded):
            policies.append(f'"concurrency";q={most};qu="concurrent-requests"')
            if crowded:
                left.append('"concurrency";r=0')
        return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}


def duration(ns: int) -> str:
    """As Go prints it, rounded up to milliseconds."""
    millis = up(ns, MS)
    if millis < 1_000:
        return f"{millis}ms" if millis else "0s"
    hours, minutes, seconds, fraction = (
        millis // 3_600_000,
        millis // 60_000 % 60,
        millis // 1_000 % 60,
        millis % 1_000,
    )
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    point = f".{fraction:03}".rstrip("0") if fraction else ""
    return f"{text}{seconds}{point}s"


_HASHES: dict[str, str] = {}


def hashed(text: str) -> str:
    """The name of a credential's partition: FNV-1a of its length and bytes, mixed by SplitMix64."""
    if text not in _HASHES:
        raw, whole = text.encode(), (1 << 64) - 1
        state = 0xCBF29CE484222325
        for byte in len(raw).to_bytes(8, "little") + raw:
            state = ((state ^ byte) * 0x100000001B3) & whole
        state = (state + 0x9E3779B97F4A7C15) & whole
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & whole
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & whole
        _HASHES[text] = f"{state ^ (state >> 31):016x}"
    return _HASHES[text]
