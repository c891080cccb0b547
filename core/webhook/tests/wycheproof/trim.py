"""Takes from Project Wycheproof what `src/wycheproof.rs` plays, and leaves the rest: `python trim.py CHECKOUT`.

CHECKOUT is a clone of https://github.com/C2SP/wycheproof (Apache-2.0, see LICENSE here). Kept of each set: the keys in
the form that we read, the message, the signature, the verdict and why; one test on each line. Of RSA PKCS #1 v1.5 the
set of 2048 bits, of PSS the sets with SHA-512; SHA-1 is there only in the sets for signing, whose signatures are valid
ones.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# Our file, theirs, and which groups of theirs.
SETS = [
    ("hmac_sha1", "hmac_sha1_test", {}),
    ("hmac_sha256", "hmac_sha256_test", {}),
    ("hmac_sha512", "hmac_sha512_test", {}),
    ("ed25519", "ed25519_test", {}),
    ("ecdsa_p256_der", "ecdsa_secp256r1_sha256_test", {}),
    ("ecdsa_p256_fixed", "ecdsa_secp256r1_sha256_p1363_test", {}),
    ("rsa_pkcs1_sha256", "rsa_signature_2048_sha256_test", {}),
    ("rsa_pkcs1_sha1", "rsa_pkcs1_2048_sig_gen_test", {"sha": "SHA-1"}),
    ("rsa_pkcs1_sha1_small", "rsa_pkcs1_1024_sig_gen_test", {"sha": "SHA-1"}),
    ("rsa_pss_sha512", "rsa_pss_4096_sha512_mgf1_64_test", {}),
    ("rsa_pss_sha512_salts", "rsa_pss_misc_test", {"sha": "SHA-512", "mgfSha": "SHA-512"}),
]


def key_of(group: dict[str, object]) -> str:
    """The public key as SPKI in hex; MACs have theirs in each test."""
    if isinstance(der := group.get("publicKeyDer"), str):
        return der
    if isinstance(pkcs1 := group.get("keyDer"), str):
        return pkcs1
    return ""


def trim(checkout: Path, commit: str, ours: str, theirs: str, only: dict[str, str]) -> None:
    text = subprocess.run(
        ["git", "-C", str(checkout), "show", f"{commit}:testvectors_v1/{theirs}.json"],
        check=True,
        capture_output=True,
    ).stdout
    groups = [
        group
        for group in json.loads(text)["testGroups"]
        if all(group.get(name) == value for name, value in only.items())
    ]
    lines = [
        json.dumps({"source": f"wycheproof/testvectors_v1/{theirs}.json", "commit": commit, "only": only})[:-1],
        ' "groups": [',
    ]
    for at, group in enumerate(groups):
        head = {"key": key_of(group)}
        for name in ("tagSize", "sLen"):
            if name in group:
                head[name] = group[name]
        lines.append(json.dumps(head)[:-1] + ', "tests": [')
        tests = [
            json.dumps(
                [
                    test["tcId"],
                    test["result"],
                    test["flags"],
                    test.get("comment", ""),
                    test.get("key", ""),
                    test["msg"],
                    test.get("sig", test.get("tag")),
                ]
            )
            for test in group["tests"]
        ]
        lines.append(",\n".join(tests))
        lines.append("]}" + ("," if at + 1 < len(groups) else ""))
    lines.append("]}")
    lines[0] += ","
    (HERE / f"{ours}.json").write_text("\n".join(lines) + "\n")


def main() -> None:
    checkout = Path(sys.argv[1])
    commit = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    for ours, theirs, only in SETS:
        trim(checkout, commit, ours, theirs, only)
    licence = subprocess.run(["git", "-C", str(checkout), "show", "HEAD:LICENSE"], check=True, capture_output=True)
    (HERE / "LICENSE").write_bytes(licence.stdout)


if __name__ == "__main__":
    main()
