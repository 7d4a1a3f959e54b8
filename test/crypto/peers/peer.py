"""Python's `cryptography` as a second opinion. Reads one request a line and answers each in one
line: an operation of AWS KMS by its names, everything else hex, `-` for nothing."""

import hashlib
import os
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HASHES = {
    "SHA_1": hashes.SHA1(),
    "SHA_224": hashes.SHA224(),
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}

GENERATORS = {
    "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECC_NIST_P384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_P521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
    "ML_KEM_768": mlkem.MLKEM768PrivateKey.generate,
    "ML_KEM_1024": mlkem.MLKEM1024PrivateKey.generate,
}


def hash_of(algorithm):
    return HASHES["_".join(algorithm.split("_")[-2:])]


def private(pkcs8):
    return serialization.load_der_private_key(pkcs8, None)


def public(spki):
    return serialization.load_der_public_key(spki)


def signature_options(algorithm):
    """What sign and verify take besides their bytes."""
    if algorithm.startswith("RSASSA_PKCS1"):
        return (padding.PKCS1v15(), hash_of(algorithm))
    if algorithm.startswith("RSASSA_PSS"):
        digest = hash_of(algorithm)
        return (padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    if algorithm.startswith("ECDSA"):
        return (ec.ECDSA(hash_of(algorithm)),)
    return ()


def oaep(algorithm):
    digest = hash_of(algorithm)
    return padding.OAEP(padding.MGF1(digest), digest, None)


def generate(spec):
    key = GENERATORS[spec]()
    encoding = serialization.Encoding.DER
    pkcs8 = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    spki = key.public_key().public_bytes(
        encoding, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pkcs8, spki


def sign(algorithm, pkcs8, message):
    return private(pkcs8).sign(message, *signature_options(algorithm))


def verify(algorithm, spki, message, signature):
    try:
        public(spki).verify(signature, message, *signature_options(algorithm))
    except InvalidSignature:
        return False
    return True


def mu(spki, message):
    """FIPS 204's message representative, with an empty context."""
    key = public(spki).public_bytes_raw()
    tr = hashlib.shake_256(key).digest(64)
    return hashlib.shake_256(tr + b"\0\0" + message).digest(64)


def encrypt(algorithm, spki, plaintext):
    return public(spki).encrypt(plaintext, oaep(algorithm))


def decrypt(algorithm, pkcs8, ciphertext):
    return private(pkcs8).decrypt(ciphertext, oaep(algorithm))


def wrap(algorithm, spki, material):
    if not algorithm.startswith("RSA_AES_KEY_WRAP"):
        return encrypt(algorithm, spki, material)
    key = os.urandom(32)
    return encrypt(algorithm, spki, key) + keywrap.aes_key_wrap_with_padding(key, material)


def mac(algorithm, key, message):
    state = hmac.HMAC(key, hash_of(algorithm))
    state.update(message)
    return state.finalize()


def derive(pkcs8, spki):
    return private(pkcs8).exchange(ec.ECDH(), public(spki))


def encapsulate(spki):
    return public(spki).encapsulate()


def decapsulate(pkcs8, ciphertext):
    return private(pkcs8).decapsulate(ciphertext)


BLOCK_CIPHERS = {"AES": algorithms.AES, "SM4": algorithms.SM4}


def seal(name, key, iv, data, plaintext):
    cipher = Cipher(BLOCK_CIPHERS[name](key), modes.GCM(iv)).encryptor()
    cipher.authenticate_additional_data(data)
    return cipher.update(plaintext) + cipher.finalize() + cipher.tag


def unseal(name, key, iv, data, sealed):
    cipher = Cipher(BLOCK_CIPHERS[name](key), modes.GCM(iv, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(data)
    try:
        return cipher.update(sealed[:-16]) + cipher.finalize()
    except InvalidTag:
        return False


OPERATIONS = {
    f.__name__: f
    for f in (
        generate, sign, verify, mu, encrypt, decrypt, wrap, mac, derive, encapsulate,
        decapsulate, seal, unseal,
    )
}
NAMED = {
    "generate", "sign", "verify", "encrypt", "decrypt", "wrap", "mac", "seal", "unseal",
}


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(text, value))
    return value.hex() or "-"


def answer(line):
    operation, *words = line.split()
    names = words[:1] if operation in NAMED else []
    blobs = [b"" if word == "-" else bytes.fromhex(word) for word in words[len(names):]]
    return text(OPERATIONS[operation](*names, *blobs))


print("ready", flush=True)
for request in sys.stdin:
    try:
        print(answer(request), flush=True)
    except Exception as error:
        print("error", repr(error), flush=True)
