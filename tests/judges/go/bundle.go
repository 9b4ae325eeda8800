package main

// Whole logs, single proofs and QR texts; golang.org/x/mod/sumdb/tlog is the tree.

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

func init() {
	commands["bundle"] = func(args []string) string {
		vkey, args := trusted(args)
		usage(len(args) >= 1)
		return bundle(args[0], args[1:], vkey).said
	}
	commands["proof"] = func(args []string) string {
		usage(len(args) >= 2)
		return proof(readFile(args[0]), readFile(args[1]), args[2:])
	}
	commands["qr"] = func(args []string) string {
		vkey, args := trusted(args)
		usage(len(args) == 2)
		return qr(args[0], args[1], vkey)
	}
}

func usage(right bool) {
	if !right {
		log.Print("usage: see main.go")
		os.Exit(2)
	}
}

// trusted takes the option that names a verifier key from elsewhere.
func trusted(args []string) ([]byte, []string) {
	if len(args) > 1 && args[0] == "--vkey" {
		return readFile(args[1]), args[2:]
	}
	return nil, args
}

type whole struct {
	said   string
	origin string
	events []event
}

func bundle(folder string, old []string, vkey []byte) whole {
	k := readVkey(readFile(filepath.Join(folder, "vkey")))
	if vkey != nil {
		t := readVkey(vkey)
		need(t.origin == k.origin && t.list[0].public.Equal(k.list[0].public), "vkey: not the key that is trusted")
	}
	events := readEvents(readFile(filepath.Join(folder, "events.cose")))
	var leaves [][]byte
	for i, e := range events {
		e.check(k.origin, int64(i), k.at(int64(i)))
		if e.kind == rotated {
			k.add(e)
		}
		leaves = append(leaves, e.signed)
	}
	count := int64(len(events))
	c := k.open(readFile(filepath.Join(folder, "checkpoint")), func(size int64) {
		need(count <= size, "events beyond the checkpoint: %d events, checkpoint of %d", count, size)
		need(count >= size, "events missing: %d events, checkpoint of %d", count, size)
	})
	hashes := build(leaves)
	need(treeHash(count, hashes) == c.root, "checkpoint: the root is not that of the events")
	for _, path := range old {
		checkOld(k, readFile(path), count, hashes)
	}
	said := fmt.Sprintf("%s size %d root %s keys %d old %d", k.origin, c.size, hexOf(c.root), len(k.list), len(old))
	return whole{said, k.origin, events}
}

// treeHash also knows the tree without leaves, which tlog.TreeHash does not in every version.
func treeHash(size int64, hashes store) tlog.Hash {
	if size == 0 {
		return emptyRoot
	}
	hash, err := tlog.TreeHash(size, hashes)
	must(err)
	return hash
}

// checkOld says whether an older checkpoint of this log is a prefix of it, by a consistency proof as well as by its root.
func checkOld(k *keys, data []byte, count int64, hashes store) {
	c := k.open(data, func(size int64) {
		need(size <= count, "old checkpoint of %d: the log was cut to %d events", size, count)
	})
	need(treeHash(c.size, hashes) == c.root, "old checkpoint of %d: not a prefix of this log", c.size)
	if c.size > 0 {
		proof, err := tlog.ProveTree(count, c.size, hashes)
		must(err)
		err = tlog.CheckTree(proof, count, treeHash(count, hashes), c.size, c.root)
		need(err == nil, "old checkpoint of %d: %v", c.size, err)
	}
}

type proofFile struct {
	event event
	path  tlog.RecordProof
	note  []byte
}

// readProof reads a C2SP tlog-proof whose extra data is the signed event.
func readProof(data []byte) proofFile {
	split := bytes.Index(data, []byte("\n\n"))
	need(split >= 0, "proof: no checkpoint")
	lines := strings.Split(string(data[:split]), "\n")
	need(len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "proof: not a tlog-proof")
	need(strings.HasPrefix(lines[1], "extra "), "proof: no event in it")
	e, rest, ok := takeEvent(strictBase64(lines[1][len("extra "):], "proof: extra"))
	need(ok && len(rest) == 0, "event: not COSE_Sign1 of this contract")
	need(strings.HasPrefix(lines[2], "index "), "proof: no index")
	need(readNumber(lines[2][len("index "):], "proof: index") == e.index, "proof: the event is of another index")
	p := proofFile{event: e, note: data[split+2:]}
	for _, line := range lines[3:] {
		raw := strictBase64(line, "proof: path")
		need(len(raw) == tlog.HashSize, "proof: a step is not a hash")
		var hash tlog.Hash
		copy(hash[:], raw)
		p.path = append(p.path, hash)
	}
	return p
}

func proof(vkey, file []byte, rotations []string) string {
	k, p := readVkey(vkey), readProof(file)
	all, given := []proofFile{p}, false
	for _, path := range rotations {
		link := readProof(readFile(path))
		e := link.event
		need(e.kind == rotated, "rotation: a proof of another event")
		need(bytes.Equal(link.note, p.note), "rotation: its proof has another checkpoint")
		e.check(k.origin, e.index, k.at(e.index))
		k.add(e)
		all, given = append(all, link), given || e.index == p.event.index
	}
	p.event.check(k.origin, p.event.index, k.at(p.event.index))
	// A rotation tells by itself who signs from there on.
	if p.event.kind == rotated && !given {
		k.add(p.event)
	}
	c := k.open(p.note, anySize)
	for _, each := range all {
		need(each.event.index < c.size, "proof: the checkpoint does not cover the index")
		err := tlog.CheckRecord(each.path, c.size, c.root, each.event.index, tlog.RecordHash(each.event.signed))
		need(err == nil, "proof: %v", err)
	}
	return fmt.Sprintf("%s index %d size %d type %s", k.origin, p.event.index, c.size, p.event.kind)
}

func qr(folder, text string, vkey []byte) string {
	words := strings.Split(text, " ")
	need(len(words) == 5 && words[0] == "STN1", "qr: not STN1 and four words")
	leaf, err := base64.RawURLEncoding.Strict().DecodeString(words[4])
	need(err == nil && len(leaf) == tlog.HashSize && len(words[4]) == 43, "qr: not a hash in strict base64url")
	index, size := readNumber(words[2], "qr: index"), readNumber(words[3], "qr: size")
	need(index < size, "qr: the size does not cover the index")
	w := bundle(folder, nil, vkey)
	need(words[1] == w.origin, "qr: another log's origin")
	need(size <= int64(len(w.events)), "qr: the log was cut to %d events", len(w.events))
	stands := tlog.RecordHash(w.events[index].signed)
	need(bytes.Equal(leaf, stands[:]), "qr: another event stands at this index")
	return fmt.Sprintf("%s index %d size %d", w.origin, index, size)
}
