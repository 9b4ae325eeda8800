package main

// The vectors of schemas/vectors, which a Python program made: Go must find the same trees, proofs, notes, events and
// sealed data. (HPKE is not among them: Go 1.19 has no X25519 of its own.)

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

func init() {
	commands["vectors"] = func(args []string) string {
		usage(len(args) == 1)
		at := func(name string) string { return filepath.Join(args[0], name) }
		roots := treeVectors(at("tree.json"))
		return fmt.Sprintf("vectors: %s, %s, %s, %s, %s, %s", roots,
			eventVector(at("event.json")), checkpointVectors(at("checkpoint.json"), at("keys.json")),
			rotationVector(at("rotation.json")), proofVectors(args[0]), sealingVectors(at("sealing.json")))
	}
}

func load(path string, into interface{}) {
	must(json.Unmarshal(readFile(path), into))
}

func unhex(text string) []byte {
	raw, err := hex.DecodeString(text)
	must(err)
	return raw
}

func hashOf(text string) (hash tlog.Hash) {
	need(copy(hash[:], unhex(text)) == tlog.HashSize, "vectors: not a hash: %s", text)
	return hash
}

func path(texts []string) (hashes []tlog.Hash) {
	for _, text := range texts {
		hashes = append(hashes, hashOf(text))
	}
	return hashes
}

func same(what string, right bool) { need(right, "vectors: %s differs", what) }

func treeVectors(file string) string {
	var v struct {
		Leaves     []string
		LeafHashes []string `json:"leaf_hashes"`
		Roots      []string
		Inclusion  []struct {
			Index, Size int64
			Path        []string
		}
		Consistency []struct {
			Old, Size int64
			Path      []string
		}
	}
	load(file, &v)
	var leaves [][]byte
	for i, leaf := range v.Leaves {
		leaves = append(leaves, []byte(leaf))
		same("leaf", tlog.RecordHash(leaves[i]) == hashOf(v.LeafHashes[i]))
	}
	hashes := build(leaves)
	for size, root := range v.Roots {
		same("root", treeHash(int64(size), hashes) == hashOf(root))
	}
	for _, p := range v.Inclusion {
		ours, err := tlog.ProveRecord(p.Size, p.Index, hashes)
		must(err)
		same("inclusion", fmt.Sprint([]tlog.Hash(ours)) == fmt.Sprint(path(p.Path)))
		must(tlog.CheckRecord(path(p.Path), p.Size, hashOf(v.Roots[p.Size]), p.Index, hashOf(v.LeafHashes[p.Index])))
	}
	for _, p := range v.Consistency {
		ours, err := tlog.ProveTree(p.Size, p.Old, hashes)
		must(err)
		same("consistency", fmt.Sprint([]tlog.Hash(ours)) == fmt.Sprint(path(p.Path)))
		must(tlog.CheckTree(path(p.Path), p.Size, hashOf(v.Roots[p.Size]), p.Old, hashOf(v.Roots[p.Old])))
	}
	return fmt.Sprintf("%d roots, %d inclusion and %d consistency proofs", len(v.Roots), len(v.Inclusion), len(v.Consistency))
}

func eventVector(file string) string {
	var v struct {
		Origin, Public, Protected, Payload, Signature, Signed, Leaf string
		SigStructure                                                string `json:"sig_structure"`
		Index                                                       int64
	}
	load(file, &v)
	e, rest, ok := takeEvent(unhex(v.Signed))
	same("event", ok && len(rest) == 0)
	e.check(v.Origin, v.Index, unhex(v.Public))
	same("Sig_structure", bytes.Equal(e.toSign, unhex(v.SigStructure)))
	same("signature", bytes.Equal(e.signature, unhex(v.Signature)))
	same("protected", bytes.Contains(e.signed, unhex(v.Protected)) && bytes.Contains(e.signed, []byte(v.Payload)))
	same("leaf", tlog.RecordHash(e.signed) == hashOf(v.Leaf))
	return "1 event"
}

func checkpointVectors(file, keyFile string) string {
	var v struct {
		Vkey        string
		Checkpoints []struct {
			Size       int64
			Root, Note string
		}
	}
	load(file, &v)
	for _, each := range v.Checkpoints {
		c := readVkey([]byte(v.Vkey)).open([]byte(each.Note), anySize)
		same("checkpoint", c.size == each.Size && c.root == hashOf(each.Root))
	}
	var named struct {
		Keys []struct {
			Public, Origin, Vkey string
			KeyID                string `json:"key_id"`
		}
	}
	load(keyFile, &named)
	for _, key := range named.Keys {
		k := readVkey([]byte(key.Vkey))
		same("vkey", k.origin == key.Origin && bytes.Equal(k.list[0].public, unhex(key.Public)))
		same("key id", bytes.Equal(keyID(k.list[0].public), unhex(key.KeyID)))
	}
	return fmt.Sprintf("%d checkpoints, %d keys", len(v.Checkpoints), len(named.Keys))
}

func rotationVector(file string) string {
	var v struct {
		Origin, Vkey        string
		Events, Checkpoints []string
	}
	load(file, &v)
	k := readVkey([]byte(v.Vkey))
	var leaves [][]byte
	for i, text := range v.Events {
		e, rest, ok := takeEvent(unhex(text))
		same("event", ok && len(rest) == 0)
		e.check(v.Origin, int64(i), k.at(int64(i)))
		if e.kind == rotated {
			k.add(e)
		}
		leaves = append(leaves, e.signed)
	}
	for size, note := range v.Checkpoints {
		checkOld(k, []byte(note), int64(len(leaves)), build(leaves))
		same("size", strings.HasPrefix(note, fmt.Sprintf("%s\n%d\n", v.Origin, size)))
	}
	return fmt.Sprintf("%d checkpoints around a rotation", len(v.Checkpoints))
}

func proofVectors(folder string) string {
	var v struct {
		Vkey   string
		Proofs []struct {
			File, Leaf      string
			Index, Size     int64
			Path, Rotations []string
		}
	}
	load(filepath.Join(folder, "proof.json"), &v)
	for _, each := range v.Proofs {
		var rotations []string
		for _, name := range each.Rotations {
			rotations = append(rotations, filepath.Join(folder, name))
		}
		file := readFile(filepath.Join(folder, each.File))
		said := proof(readFile(filepath.Join(folder, v.Vkey)), file, rotations)
		same(each.File, strings.Contains(said, fmt.Sprintf(" index %d size %d ", each.Index, each.Size)))
		p := readProof(file)
		same("path", fmt.Sprint([]tlog.Hash(p.path)) == fmt.Sprint(path(each.Path)))
		same("leaf", tlog.RecordHash(p.event.signed) == hashOf(each.Leaf))
	}
	var slips struct{ Slips []struct{ Text string } }
	load(filepath.Join(folder, "qr.json"), &slips)
	for _, slip := range slips.Slips {
		qr(filepath.Join(folder, "bundle"), slip.Text, nil)
	}
	return fmt.Sprintf("%d proof files, %d QR texts", len(v.Proofs), len(slips.Slips))
}

// hkdf is HKDF-SHA256 (RFC 5869) for 32 bytes, which is one block.
func hkdf(key, salt, info []byte) []byte {
	mac := func(key, message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}
	return mac(mac(salt, key), append(append([]byte{}, info...), 1))
}

func gcmOpen(key, nonce, sealed, aad []byte) []byte {
	block, err := aes.NewCipher(key)
	must(err)
	gcm, err := cipher.NewGCM(block)
	must(err)
	text, err := gcm.Open(nil, nonce, sealed, aad)
	need(err == nil, "vectors: sealed data do not open")
	return text
}

type sealedField struct{ Name, Plaintext, Text string }

type sealedSession struct {
	Session      string
	SessionKey   string `json:"session_key"`
	SessionKeyID string `json:"session_key_id"`
	Blob         struct{ Plaintext, File, Name string }
}

func (v sealedSession) field(origin string, f sealedField) {
	prefix := "v1." + v.SessionKeyID + "."
	same("field", strings.HasPrefix(f.Text, prefix))
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(f.Text[len(prefix):])
	must(err)
	key := hkdf(unhex(v.SessionKey), nil, []byte("station-gateway field v1\x00"+f.Name))
	aad := []byte(origin + "\x00" + v.Session + "\x00" + f.Name)
	same("field", string(gcmOpen(key, sealed[:12], sealed[12:], aad)) == f.Plaintext)
}

func (v sealedSession) blob() {
	blob := unhex(v.Blob.File)
	name := sha256.Sum256(blob)
	same("blob name", hex.EncodeToString(name[:]) == v.Blob.Name)
	same("blob head", bytes.HasPrefix(blob, append([]byte("STNBLOB\n\x02"), unhex(v.SessionKeyID)...)))
	key := hkdf(unhex(v.SessionKey), blob[25:57], []byte("station-gateway blob v2"))
	same("blob", hex.EncodeToString(gcmOpen(key, make([]byte, 12), blob[57:], blob[:57])) == v.Blob.Plaintext)
}

func sealingVectors(file string) string {
	var v struct {
		Origin string
		sealedSession
		Field       sealedField
		Application struct {
			sealedSession
			Fields []sealedField
		}
	}
	load(file, &v)
	v.field(v.Origin, v.Field)
	v.blob()
	for _, each := range v.Application.Fields {
		v.Application.field(v.Origin, each)
	}
	v.Application.blob()
	return fmt.Sprintf("%d sealed fields, 2 sealed blobs", 1+len(v.Application.Fields))
}
