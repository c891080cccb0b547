"""Ed25519 (RFC 8032), by its definition: slow, and strict about the one spelling of keys and signatures."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)

#: X, Y, Z and T of section 5.1.4, where x = X/Z, y = Y/Z and x * y = T/Z.
Point = tuple[int, int, int, int]
ZERO: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum of two points of the curve."""
    left = (a[1] - a[0]) * (b[1] - b[0]) % P
    right = (a[1] + a[0]) * (b[1] + b[0]) % P
    both = 2 * a[3] * b[3] * D % P
    depth = 2 * a[2] * b[2] % P
    e, f, g, h = right - left, depth - both, depth + both, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor: int, point: Point) -> Point:
    """A multiple of a point."""
    result = ZERO
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def same(a: Point, b: Point) -> bool:
    """Whether two points are one."""
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decode(encoded: bytes) -> Point | None:
    """A point from its 32 bytes (section 5.1.3); None where it is none, or in another spelling than its own."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or ZERO


def is_weak(point: Point) -> bool:
    """Of low order: signatures under such a key prove nothing."""
    return same(times(8, point), ZERO)


def usable_key(public: bytes) -> bool:
    """Whether a public key is a point in its own spelling, and not of low order."""
    point = decode(public)
    return point is not None and not is_weak(point)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7, and neither the key nor R of low order."""
    key, nonce = decode(public), decode(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or nonce is None or len(signature) != 64 or scalar >= L:
        return False
    if is_weak(key) or is_weak(nonce):
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(scalar, BASE), add(nonce, times(challenge, key)))


def public_of(seed: bytes) -> bytes:
    """The public key of a 32 byte seed."""
    return encode(times(_scalar(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """Section 5.1.6. For test keys alone: nothing here takes constant time."""
    scalar, prefix = _scalar(seed)
    public = public_of(seed)
    nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    first = encode(times(nonce, BASE))
    challenge = int.from_bytes(hashlib.sha512(first + public + message).digest(), "little") % L
    return first + ((nonce + challenge * scalar) % L).to_bytes(32, "little")


def encode(point: Point) -> bytes:
    """The 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _scalar(seed: bytes) -> tuple[int, bytes]:
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little")
    return scalar & ((1 << 254) - 8) | 1 << 254, hashed[32:]
