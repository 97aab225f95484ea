"""Makes vectors.json: sealed values of real sops, and AES-256-GCM by OpenSSL with nonces of many lengths.

Needs `sops`, `age` and `age-keygen` (SOPS, AGE and AGE_KEYGEN name others) and Python's `cryptography`.
The sops part differs on every run, since sops chooses keys and nonces; the OpenSSL part does not.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import cryptography
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SOPS = os.environ.get("SOPS", "sops")
AGE = os.environ.get("AGE", "age")
AGE_KEYGEN = os.environ.get("AGE_KEYGEN", "age-keygen")
SEALED = re.compile(r"^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]$")

DOCUMENT = {
    "one": "1",
    "short": "hunter2",
    "block": "0123456789abcdef",
    "over": "0123456789abcdefg",
    "unicode": "Zażółć gęślą jaźń \U0001f511",
    "lines": "a\nb\n\nc\n",
    "quotes": "\"'\\ ,iv: ]",
    "long": "long text " * 100,
    "number": 42,
    "negative": -42,
    "fraction": 0.1,
    "yes": True,
    "no": False,
    "a:b": "a colon in a key",
    "żółw": "a key beyond ASCII",
    "map": {"inner": {"deep": "deep value"}, "list": ["first", "second", ["nested"], {"key": "in list"}]},
    "equal": ["same", "same"],
}


def plain_bytes(value):
    if isinstance(value, bool):
        return b"True" if value else b"False"
    return value.encode() if isinstance(value, str) else str(value).encode()


def leaves(plain, sealed, path):
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from leaves(value, sealed[key], path + [key])
    elif isinstance(plain, list):
        for value, other in zip(plain, sealed, strict=True):
            yield from leaves(value, other, path)
    else:
        yield plain_bytes(plain), sealed, "".join(key + ":" for key in path)


def run(*command, text=None, **environment):
    kept = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | environment
    return subprocess.run(command, input=text, capture_output=True, check=True, env=kept).stdout


def from_sops():
    with tempfile.TemporaryDirectory() as folder:
        key_file = os.path.join(folder, "key.txt")
        run(AGE_KEYGEN, "-o", key_file)
        recipient = run(AGE_KEYGEN, "-y", key_file).decode().strip()
        name = os.path.join(folder, "plain.json")
        with open(name, "w", encoding="utf-8") as file:
            json.dump(DOCUMENT, file)
        sealed = json.loads(run(SOPS, "encrypt", "--age", recipient, name))
        key = run(AGE, "-d", "-i", key_file, text=sealed["sops"]["age"][0]["enc"].encode())
    found = list(leaves(DOCUMENT, sealed, []))
    digest = hashlib.sha512(b"".join(plain for plain, _, _ in found)).hexdigest().upper()
    found.append((digest.encode(), sealed["sops"]["mac"], sealed["sops"]["lastmodified"]))
    for plain, text, aad in found:
        yield {
            "key": key.hex(),
            "aad": aad,
            "plaintext": plain.hex(),
            "kind": SEALED.match(text).group(4),
            "text": text,
        }


def stream(label, length):
    return hashlib.shake_256(label.encode()).digest(length)


def from_openssl():
    nonces = [32] * 12 + [1, 2, 7, 8, 11, 12, 13, 15, 16, 17, 24, 31, 33, 48, 64, 100, 128]
    texts = [1, 15, 16, 17, 31, 32, 33, 255, 1000, 4097]
    for index, length in enumerate(nonces):
        size = texts[index % len(texts)]
        key, nonce, plain = (stream(f"{name} {index}", n) for name, n in (("key", 32), ("nonce", length), ("text", size)))
        aad = "key:" * (index % 7)
        cipher = Cipher(algorithms.AES(key), modes.GCM(nonce)) if length >= 8 else None
        if cipher is None:
            # The binding refuses nonces below 64 bits, so pass through J0 by hand.
            data, tag = short_nonce(key, nonce, aad.encode(), plain)
        else:
            encryptor = cipher.encryptor()
            encryptor.authenticate_additional_data(aad.encode())
            data, tag = encryptor.update(plain) + encryptor.finalize(), encryptor.tag
        fields = (base64.b64encode(part).decode() for part in (data, nonce, tag))
        yield {
            "key": key.hex(),
            "aad": aad,
            "plaintext": plain.hex(),
            "kind": "str",
            "text": "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]".format(*fields),
        }


def short_nonce(key, nonce, aad, plain):
    def block(data):
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(data)

    def multiply(x, y):
        product = 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                product ^= y
            y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
        return product

    hash_key = int.from_bytes(block(bytes(16)))

    def ghash(first, second):
        padded = [part + bytes(-len(part) % 16) for part in (first, second)]
        data = b"".join(padded) + (len(first) * 8).to_bytes(8) + (len(second) * 8).to_bytes(8)
        result = 0
        for at in range(0, len(data), 16):
            result = multiply(result ^ int.from_bytes(data[at : at + 16]), hash_key)
        return result.to_bytes(16)

    counter = ghash(b"", nonce)
    following = counter[:12] + ((int.from_bytes(counter[12:]) + 1) % 2**32).to_bytes(4)
    data = Cipher(algorithms.AES(key), modes.CTR(following)).encryptor().update(plain)
    mask = block(counter)
    return data, bytes(a ^ b for a, b in zip(ghash(aad, data), mask, strict=True))


def main():
    sops = run(SOPS, "--version", "--disable-version-check").decode().split("\n")[0]
    vectors = {
        "made_with": [sops, "age " + run(AGE, "--version").decode().strip(), f"cryptography {cryptography.__version__}, {backend.openssl_version_text()}"],
        "sops": list(from_sops()),
        "openssl": list(from_openssl()),
    }
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")
    with open(sys.argv[1] if len(sys.argv) > 1 else target, "w", encoding="utf-8") as file:
        json.dump(vectors, file, indent=1, ensure_ascii=False)
        file.write("\n")


main()
