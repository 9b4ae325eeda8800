package main

// Keys and checkpoints: golang.org/x/mod/sumdb/note judges the notes; this file says which keys must have signed, and
// refuses every second way to write the same note.

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type keyFrom struct {
	begin  int64
	public ed25519.PublicKey
}

// keys are those of one log, each with the index from which it is in force.
type keys struct {
	origin string
	list   []keyFrom
}

func readVkey(data []byte) *keys {
	text := strings.TrimSuffix(string(data), "\n")
	verifier, err := note.NewVerifier(text)
	need(err == nil, "vkey: %v", err)
	parts := strings.SplitN(text, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	need(originForm.MatchString(verifier.Name()), "vkey: the name is not an origin")
	again, err := note.NewEd25519VerifierKey(verifier.Name(), raw[1:])
	must(err)
	need(again == text, "vkey: not strictly written")
	return &keys{verifier.Name(), []keyFrom{{0, raw[1:]}}}
}

func (k *keys) at(index int64) (public ed25519.PublicKey) {
	for _, key := range k.list {
		if key.begin <= index {
			public = key.public
		}
	}
	return public
}

// add checks a rotation event whose signature has been checked, and takes its key.
func (k *keys) add(e event) {
	for _, key := range k.list {
		need(key.begin <= e.index, "rotation: not in order")
	}
	var members map[string]json.RawMessage
	must(json.Unmarshal(e.data, &members))
	field := func(name string, length int) []byte {
		var text *string
		raw, there := members[name]
		need(there && json.Unmarshal(raw, &text) == nil && text != nil, "rotation: members")
		return readHex(*text, length, "rotation: "+name)
	}
	old, public := k.at(e.index), field("public_key", 32)
	need(len(members) == 4, "rotation: members")
	need(bytes.Equal(field("old_key", 8), keyID(old)), "rotation: old_key is another key")
	need(bytes.Equal(field("new_key", 8), keyID(public)), "rotation: new_key is another key")
	for _, key := range k.list {
		need(!bytes.Equal(key.public, public), "rotation: the key was in use before")
	}
	shown := []byte("station-gateway key rotation v1\x00" + k.origin + "\x00")
	var place [8]byte
	binary.BigEndian.PutUint64(place[:], uint64(e.index))
	shown = append(append(append(shown, place[:]...), old...), public...)
	need(ed25519.Verify(public, shown, field("possession", 64)), "rotation: the new key did not sign")
	k.list = append(k.list, keyFrom{e.index + 1, public})
}

// signers are the keys that sign the checkpoint of this size: the key of its last event, and the one that event brings in.
func (k *keys) signers(size int64) []ed25519.PublicKey {
	last := size - 1
	if last < 0 {
		last = 0
	}
	out := []ed25519.PublicKey{k.at(last)}
	for _, key := range k.list {
		if key.begin == size && size > 0 {
			out = append(out, key.public)
		}
	}
	return out
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

func strictBase64(text, what string) []byte {
	raw, err := base64.StdEncoding.DecodeString(text)
	need(err == nil, "%s is not base64", what)
	need(base64.StdEncoding.EncodeToString(raw) == text, "%s is not strict base64", what)
	return raw
}

// open reads a checkpoint of this log that every key that must have signed it has signed. fits looks at the size before
// that: what is missing of a log may hold the rotation that says whose signature is needed.
func (k *keys) open(data []byte, fits func(size int64)) checkpoint {
	need(len(data) <= 64*1024, "checkpoint: too long")
	// The size comes first: it says whose signatures are needed.
	split := bytes.LastIndex(data, []byte("\n\n"))
	need(split >= 0, "checkpoint: not a signed note")
	lines := strings.Split(string(data[:split]), "\n")
	need(len(lines) == 3, "checkpoint: not three lines")
	size := readNumber(lines[1], "checkpoint: size")
	root := strictBase64(lines[2], "checkpoint: root")
	need(len(root) == tlog.HashSize, "checkpoint: the root is not a hash")
	need(lines[0] == k.origin, "checkpoint: another log's origin")
	fits(size)

	var known []note.Verifier
	for _, public := range k.signers(size) {
		vkey, err := note.NewEd25519VerifierKey(k.origin, public)
		must(err)
		verifier, err := note.NewVerifier(vkey)
		must(err)
		known = append(known, verifier)
	}
	opened, err := note.Open(data, note.VerifierList(known...))
	need(err == nil, "checkpoint: %v", err)
	need(opened.Text == string(data[:split+1]), "checkpoint: not a signed note")
	for _, verifier := range known {
		signed := 0
		for _, line := range strings.Split(strings.TrimSuffix(string(data[split+2:]), "\n"), "\n") {
			words := strings.Split(line, " ")
			need(len(words) == 3 && words[0] == "—", "checkpoint: not a signature line")
			raw := strictBase64(words[2], "checkpoint: signature")
			if words[1] == verifier.Name() && binary.BigEndian.Uint32(raw) == verifier.KeyHash() {
				signed++
			}
		}
		need(signed > 0, "checkpoint: not signed by key %08x", verifier.KeyHash())
		need(signed == 1, "checkpoint: a key signed twice")
	}
	need(len(opened.Sigs) == len(known), "checkpoint: not signed by every key in force")
	var hash tlog.Hash
	copy(hash[:], root)
	return checkpoint{size, hash}
}

var emptyRoot = tlog.Hash(sha256.Sum256(nil))

func anySize(int64) {}

func hexOf(hash tlog.Hash) string { return hex.EncodeToString(hash[:]) }
