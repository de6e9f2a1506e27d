#!/usr/bin/env python3
"""Verifies a whole audit log of docs/spec/audit-v1.md with nothing of this project: Python's standard library and the openssl command.

Prints what is wrong and exits 1, or exits 0. Of a line it checks the chain and the clock that cannot be set, not the fields of its type.
"""
import argparse, base64, fileinput, hashlib, json, pathlib, re, subprocess, sys, tempfile

SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410
NOTE = re.compile("((?P<origin>.+)\n(?P<size>[1-9][0-9]*)\n(?P<root>.+)\n)\n\u2014 (?P<name>[^ \n]+) (?P<signature>.+)\n")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def require(condition, problem):
    if not condition:
        raise ValueError(problem)


def decode(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 is not in its one spelling")
    return data


def read_key(text):
    """A C2SP verifier key: its name, its id and the raw public key."""
    name, key_id, encoded = text.strip().split("+", 2)
    data = decode(encoded)
    require(data[:1] == b"\1" and len(data) == 33, "the public key is not an Ed25519 key")
    require(sha256(name.encode(), b"\n", data)[:4].hex() == key_id, "the public key has another id")
    return name, bytes.fromhex(key_id), data[1:]


def signature_holds(public_key, text, signature):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in ("key", SPKI_ED25519 + public_key), ("text", text), ("signature", signature):
            pathlib.Path(folder, name).write_bytes(content)
        command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in text -sigfile signature"
        return subprocess.run(command.split(), cwd=folder, capture_output=True).returncode == 0


def read_checkpoints(path, key):
    """Size and root of every checkpoint in a file, oldest first."""
    (name, key_id, public_key), text, at, found = key, pathlib.Path(path).read_bytes().decode(), 0, []
    while at < len(text):
        note = NOTE.match(text, at)
        require(note, "a checkpoint is malformed")
        signature, at = decode(note["signature"]), note.end()
        require(note["origin"] == note["name"] == name and signature[:4] == key_id, "a checkpoint is of another log or key")
        require(signature_holds(public_key, note[1].encode(), signature[4:]), "a checkpoint is not signed by the key")
        found.append((int(note["size"]), decode(note["root"])))
    require(found and found == sorted(found), "the checkpoints are out of order, or there is none")
    return found


def verify(paths, checkpoints, anchors):
    """Answers how many lines there are, and how many behind the last checkpoint. `subtrees` is RFC 6962's, largest first."""
    subtrees, previous, waiting, number, event, elapsed = [], "0" * 64, sorted(checkpoints + anchors), 0, {}, 0
    for number, line in enumerate(fileinput.input(paths, mode="rb"), 1):
        require(line.endswith(b"\n"), f"line {number}: torn")
        entry = line[:-1]
        event = json.loads(entry)
        require(event["sequence"] == f"{number:016d}", f"line {number}: sequence")
        require(event["prevhash"] == previous, f"line {number}: prevhash")
        before, elapsed = 0 if event["type"] == "vram.audit.opened" else elapsed, int(event["elapsedms"])
        require(elapsed >= before, f"line {number}: clock")
        previous, node, rest = sha256(entry).hex(), sha256(b"\0", entry), number - 1
        while rest % 2:
            node, rest = sha256(b"\1", subtrees.pop(), node), rest // 2
        subtrees.append(node)
        while waiting and waiting[0][0] == number:
            root = subtrees[-1]
            for left in subtrees[-2::-1]:
                root = sha256(b"\1", left, root)
            require(waiting.pop(0)[1] == root, f"line {number}: it, or one before it, is not what was signed")
    require(not waiting, f"line {number + 1}: truncated")
    unsigned = number - checkpoints[-1][0]
    require(unsigned == 0 or event["type"] != "vram.audit.closed", f"line {number - unsigned + 1}: uncovered")
    return number, unsigned


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--public-key", required=True, help="the C2SP verifier key, known from elsewhere")
parser.add_argument("--checkpoints", required=True, help="the log's file of checkpoints")
parser.add_argument("--anchor", help="a file with a checkpoint that was kept elsewhere")
parser.add_argument("log", nargs="+", help="the files with the lines, in order")
given = parser.parse_args()
try:
    key = read_key(given.public_key)
    anchors = read_checkpoints(given.anchor, key) if given.anchor else []
    print("good: %d lines, %d of them after the last checkpoint" % verify(given.log, read_checkpoints(given.checkpoints, key), anchors))
except (ValueError, TypeError, KeyError) as problem:
    sys.exit(f"FAILED: {problem}")
