package main

// A station's log, pulled over HTTP as c2sp.org/tlog-tiles says. tlog.TileHashReader reads the tree through tiles and accepts none
// that does not lead to the checkpoint's root.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

func init() {
	commands["pull"] = func(args []string) string {
		vkey, args := trusted(args)
		usage(vkey != nil && len(args) >= 1)
		s := &source{tiles: map[string][]byte{}}
		if args[0] == "--flip" {
			usage(len(args) >= 3)
			s.flip, args = args[1], args[2:]
		}
		s.prefix = strings.TrimSuffix(args[0], "/")
		return pull(s, readVkey(vkey), args[1:])
	}
}

// source is a log at the other end of a URL. Tiles that were shown to be right are kept.
type source struct {
	prefix, flip string
	tiles        map[string][]byte
	asked        int
}

var client = http.Client{Timeout: 30 * time.Second}

func (s *source) get(path, kind string) []byte {
	answer, err := client.Get(s.prefix + "/" + path)
	must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	need(answer.StatusCode == http.StatusOK, "pull: %s: %s", path, answer.Status)
	need(answer.Header.Get("Content-Type") == kind, "pull: %s: another content type", path)
	s.asked++
	if s.flip != "" && strings.Contains(path, s.flip) {
		body[len(body)/2] ^= 1
		s.flip = ""
	}
	return body
}

const bytesOf = "application/octet-stream"

func (s *source) Height() int { return 8 }

// ReadTiles leaves the height out of the path, which is always 8 there.
func (s *source) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, there := s.tiles[path]
		if !there {
			data = s.get(path, bytesOf)
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (s *source) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		s.tiles["tile/"+strings.TrimPrefix(tile.Path(), "tile/8/")] = data[i]
	}
}

// entries reads every bundle of a log of this size. Their paths are those of tiles of level 0, but for the level.
func (s *source) entries(size int64) (all [][]byte) {
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(width)}
		path := "tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/data/")
		rest := s.get(path, bytesOf)
		for i := int64(0); i < width; i++ {
			need(len(rest) >= 2, "pull: %s ends early", path)
			length := int(binary.BigEndian.Uint16(rest))
			need(len(rest) >= 2+length, "pull: %s ends within an entry", path)
			all, rest = append(all, rest[2:2+length]), rest[2+length:]
		}
		need(len(rest) == 0, "pull: %s holds more than its entries", path)
	}
	return all
}

func pull(s *source, k *keys, old []string) string {
	note := s.get("checkpoint", "text/plain; charset=utf-8")
	lines := strings.SplitN(string(note), "\n", 3)
	need(len(lines) == 3, "checkpoint: not a signed note")
	entries := s.entries(readNumber(lines[1], "checkpoint: size"))
	for i, entry := range entries {
		e, rest, ok := takeEvent(entry)
		need(ok && len(rest) == 0, "event %d: not COSE_Sign1 of this contract", i)
		e.check(k.origin, int64(i), k.at(int64(i)))
		if e.kind == rotated {
			k.add(e)
		}
	}
	c := k.open(note, anySize)
	need(c.size > 0, "pull: an empty log shows nothing")
	tree := tlog.TileHashReader(tlog.Tree{N: c.size, Hash: c.root}, s)
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(c.size, int64(i), tree)
		need(err == nil, "event %d: no proof: %v", i, err)
		err = tlog.CheckRecord(proof, c.size, c.root, int64(i), tlog.RecordHash(entry))
		need(err == nil, "event %d: %v", i, err)
	}
	for _, path := range old {
		consistent(k, tree, c, readFile(path))
	}
	s.everyTile(c.size)
	return fmt.Sprintf("%s size %d root %s keys %d old %d answers %d", k.origin, c.size, hexOf(c.root), len(k.list), len(old), s.asked)
}

// consistent says whether an older checkpoint is a prefix, by a proof that is made of the tiles alone.
func consistent(k *keys, tree tlog.HashReader, c checkpoint, data []byte) {
	before := k.open(data, anySize)
	need(before.size > 0 && before.size <= c.size, "old checkpoint of %d: the log has %d events", before.size, c.size)
	proof, err := tlog.ProveTree(c.size, before.size, tree)
	need(err == nil, "old checkpoint of %d: no proof: %v", before.size, err)
	err = tlog.CheckTree(proof, c.size, c.root, before.size, before.root)
	need(err == nil, "old checkpoint of %d: %v", before.size, err)
}

// everyTile reads what the proofs had no need of, and finds that tiles of a level follow from those below.
func (s *source) everyTile(size int64) {
	for level := 1; size>>(8*level) > 0; level++ {
		for at := int64(0); at < size>>(8*level); at++ {
			below, err := s.ReadTiles([]tlog.Tile{{H: 8, L: level - 1, N: at, W: 256}})
			must(err)
			width := size>>(8*level) - at/256*256
			if width > 256 {
				width = 256
			}
			above, err := s.ReadTiles([]tlog.Tile{{H: 8, L: level, N: at / 256, W: int(width)}})
			must(err)
			var leaves store
			for i := 0; i < 256; i++ {
				var hash tlog.Hash
				copy(hash[:], below[0][i*tlog.HashSize:])
				leaves = append(leaves, hash)
			}
			root := rootOf(leaves)
			shown := above[0][at%256*tlog.HashSize:][:tlog.HashSize]
			need(bytes.Equal(root[:], shown), "tile of level %d: hash %d is not that of the tile below", level, at)
		}
	}
}

func rootOf(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(rootOf(hashes[:half]), rootOf(hashes[half:]))
}
