#!/bin/sh
# Makes the keys and certificates of the tests anew. They protect nothing. What they have signed in `tests/` must be made anew then.
set -eu
cd "$(dirname "$0")"
certificate() { # file, key, common name, days
    openssl req -x509 -new -key "$2" -sha256 -subj "/CN=$3" -days "$4" -out "$1"
}
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key.pem
openssl pkey -in rsa.key.pem -pubout -out rsa.pub.pem
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.key.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key.pem
openssl pkey -in p256.key.pem -pubout -out p256.pub.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key.pem
openssl pkey -in p384.key.pem -pubout -out p384.pub.pem
openssl genpkey -quiet -algorithm ED25519 -out ed25519.key.pem
openssl pkey -in ed25519.key.pem -pubout -out ed25519.pub.pem
certificate sns.pem rsa.key.pem sns.amazonaws.com 36500
certificate paypal.pem rsa.key.pem messageverificationcerts.paypal.com 36500
certificate small.pem small.key.pem sns.amazonaws.com 36500
certificate ecdsa.pem p256.key.pem sns.amazonaws.com 36500
certificate short.pem rsa.key.pem sns.amazonaws.com 1
rm small.key.pem p384.key.pem
