// A judge of the station's log that shares no code with it: golang.org/x/mod/sumdb/note and tlog
// (Debian: golang-golang-x-mod-dev).
//
//	check <verifier key> <checkpoint file> <events file, hex, one a line>
//	prove <size>    every inclusion and consistency proof of trees of up to <size> leaves "leaf 0", "leaf 1" …
//
// This file can be run alone. Together with the others (go run .) it also knows:
//
//	bundle [--vkey FILE] <folder> [<old checkpoint>...]    the whole log of an export, and earlier checkpoints of it
//	proof <vkey file> <file.tlog-proof> [<rotation.tlog-proof>...]    one event
//	qr [--vkey FILE] <folder> <text>    the QR text of a slip, against an export
//	pull [--vkey FILE] [--flip PART] <prefix> [<old checkpoint>...]    a running station's log by c2sp.org/tlog-tiles;
//	    --flip turns a bit of the first answer whose path contains PART
//	vectors <folder>    schemas/vectors
//
// These say one line. Exit code 0: accepted. 1: refused. Anything else: not judged. (Build it for that: "go run" makes
// every code but 0 a 1.)
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type store []tlog.Hash

func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at < 0 || at >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", at)
		}
		out[i] = s[at]
	}
	return out, nil
}

func build(leaves [][]byte) store {
	var s store
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, s)
		must(err)
		s = append(s, hashes...)
	}
	return s
}

// must ends with another code than a refusal: either the input of check or prove is unusable, or the judge is broken.
func must(err error) {
	if err != nil {
		log.Print(err)
		os.Exit(3)
	}
}

func check(vkey, head, events string) {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	signed, err := os.ReadFile(head)
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		log.Fatalf("a checkpoint has three lines, not %q", opened.Text)
	}
	if lines[0] != opened.Sigs[0].Name {
		log.Fatalf("origin %q signed by %q", lines[0], opened.Sigs[0].Name)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)

	file, err := os.Open(events)
	must(err)
	var leaves [][]byte
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		leaf, err := hex.DecodeString(scanner.Text())
		must(err)
		leaves = append(leaves, leaf)
	}
	must(scanner.Err())
	if int64(len(leaves)) < size {
		log.Fatalf("%d events, checkpoint of %d", len(leaves), size)
	}
	hash, err := tlog.TreeHash(size, build(leaves))
	must(err)
	if string(hash[:]) != string(root) {
		log.Fatalf("root %x, checkpoint says %x", hash[:], root)
	}
	fmt.Println(lines[0], size)
}

func prove(max int64) {
	var leaves [][]byte
	for i := int64(0); i < max; i++ {
		leaves = append(leaves, []byte(fmt.Sprintf("leaf %d", i)))
	}
	s := build(leaves)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	show := func(kind string, at, size int64, proof []tlog.Hash) {
		fmt.Fprint(out, kind, " ", at, " ", size)
		for _, hash := range proof {
			fmt.Fprintf(out, " %x", hash[:])
		}
		fmt.Fprintln(out)
	}
	for size := int64(1); size <= max; size++ {
		for at := int64(0); at < size; at++ {
			proof, err := tlog.ProveRecord(size, at, s)
			must(err)
			show("inclusion", at, size, proof)
			tree, err := tlog.ProveTree(size, at+1, s)
			must(err)
			show("consistency", at+1, size, tree)
		}
	}
}

// What the other files add.
var commands = map[string]func(args []string) string{}

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	switch {
	case len(args) == 4 && args[0] == "check":
		check(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "prove":
		size, err := strconv.ParseInt(args[1], 10, 64)
		must(err)
		prove(size)
	case len(args) > 0 && commands[args[0]] != nil:
		fmt.Println("accepted:", commands[args[0]](args[1:]))
	default:
		log.Print("usage: check <vkey> <head> <events> | prove <size> | bundle, proof, pull, qr, vectors: see main.go")
		os.Exit(2)
	}
}
