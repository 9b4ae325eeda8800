package main

// Signed events: the one deterministic form of COSE_Sign1 that schemas/evidence.md allows, read by hand.

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	signedLenMax = 6 * 1024
	// From here on a number cannot be kept exactly by every JSON reader; no station comes near.
	numberMax  = 1<<53 - 1
	schemaURN  = "urn:station-gateway:schema:event:"
	rotated    = "station.key.rotated.v1"
	incarnated = "station.log.incarnated.v1"
)

var (
	originForm = regexp.MustCompile(`^[a-z0-9./-]{1,128}$`)
	typeForm   = regexp.MustCompile(`^station\.[a-z0-9.-]+\.v[0-9]+$`)
	numberForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)
	hexForm    = regexp.MustCompile(`^([0-9a-f]{2})*$`)
)

// refuse ends the judge: what was given is not genuine, or not in the form of the contract.
func refuse(form string, args ...interface{}) {
	fmt.Println("refused: " + fmt.Sprintf(form, args...))
	os.Exit(1)
}

func need(right bool, form string, args ...interface{}) {
	if !right {
		refuse(form, args...)
	}
}

type event struct {
	signed    []byte
	kid       []byte
	index     int64
	origin    string
	toSign    []byte
	signature []byte
	kind      string
	data      json.RawMessage
}

// head takes the head of a CBOR item of this major type, in its shortest form (RFC 8949, 4.2.1).
func head(in []byte, major byte) (argument uint64, rest []byte, ok bool) {
	if len(in) == 0 || in[0]>>5 != major {
		return 0, nil, false
	}
	info, in := in[0]&0x1f, in[1:]
	if info < 24 {
		return uint64(info), in, true
	}
	if info > 27 {
		return 0, nil, false
	}
	width := 1 << (info - 24)
	if len(in) < width {
		return 0, nil, false
	}
	for _, b := range in[:width] {
		argument = argument<<8 | uint64(b)
	}
	least := map[byte]uint64{24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}[info]
	return argument, in[width:], argument >= least
}

// str takes a byte or text string.
func str(in []byte, major byte) (value, rest []byte, ok bool) {
	length, in, ok := head(in, major)
	if !ok || length > uint64(len(in)) {
		return nil, nil, false
	}
	return in[:length], in[length:], true
}

func literal(in []byte, want string) ([]byte, bool) {
	return bytes.TrimPrefix(in, []byte(want)), bytes.HasPrefix(in, []byte(want))
}

// putStr writes a byte string's head and bytes; nothing here is longer than 65,535.
func putStr(out, value []byte) []byte {
	switch n := len(value); {
	case n < 24:
		out = append(out, 0x40|byte(n))
	case n < 1<<8:
		out = append(out, 0x58, byte(n))
	default:
		out = append(out, 0x59, byte(n>>8), byte(n))
	}
	return append(out, value...)
}

// takeEvent takes the first event of a sequence; ok tells whether it has the form.
func takeEvent(in []byte) (e event, rest []byte, ok bool) {
	rest, ok = literal(in, "\xd2\x84")
	if !ok {
		return
	}
	var protected, payload []byte
	if protected, rest, ok = str(rest, 2); !ok {
		return
	}
	if rest, ok = literal(rest, "\xa0"); !ok {
		return
	}
	if payload, rest, ok = str(rest, 2); !ok {
		return
	}
	if e.signature, rest, ok = str(rest, 2); !ok || len(e.signature) != ed25519.SignatureSize {
		return e, rest, false
	}
	e.signed = in[:len(in)-len(rest)]
	if len(e.signed) > signedLenMax || !e.header(protected) {
		return e, rest, false
	}
	e.toSign = append([]byte("\x84\x6aSignature1"), putStr(nil, protected)...)
	e.toSign = putStr(append(e.toSign, 0x40), payload)
	e.cloudEvent(payload)
	return e, rest, true
}

// header reads the protected header: five members in their order and nothing after them.
func (e *event) header(in []byte) bool {
	in, ok := literal(in, "\xa5\x01\x27\x03\x78\x1capplication/cloudevents+json\x04\x48")
	if !ok || len(in) < 8 {
		return false
	}
	e.kid, in = in[:8], in[8:]
	if in, ok = literal(in, "\x61i"); !ok {
		return false
	}
	index, in, ok := head(in, 0)
	if !ok || index > numberMax {
		return false
	}
	e.index = int64(index)
	if in, ok = literal(in, "\x61o"); !ok {
		return false
	}
	origin, in, ok := str(in, 3)
	e.origin = string(origin)
	return ok && len(in) == 0 && originForm.MatchString(e.origin)
}

// cloudEvent checks the payload against the header and keeps type and data.
func (e *event) cloudEvent(payload []byte) {
	body := object(payload)
	text := func(name string) (value string) {
		if raw, there := body[name]; there && len(raw) > 0 && raw[0] == '"' {
			must(json.Unmarshal(raw, &value))
		}
		return value
	}
	attribute := func(name string, right bool) {
		need(right, "payload: %s is not as the contract says", name)
	}
	e.kind, e.data = text("type"), body["data"]
	attribute("specversion", text("specversion") == "1.0")
	attribute("id", text("id") == strconv.FormatInt(e.index, 10))
	source := text("source")
	attribute("source", strings.HasPrefix(source, e.origin+"/") && len(source) > len(e.origin)+1)
	attribute("type", typeForm.MatchString(e.kind))
	attribute("dataschema", text("dataschema") == schemaURN+e.kind)
	attribute("datacontenttype", text("datacontenttype") == "application/json")
	attribute("time", text("time") != "")
	attribute("data", len(e.data) > 0 && e.data[0] == '{')
}

// object reads a JSON object (RFC 8259) in which no name stands twice, at any depth: two readers must not see two events.
func object(text []byte) map[string]json.RawMessage {
	need(utf8.Valid(text) && json.Valid(text), "payload: not JSON")
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	token, err := decoder.Token()
	must(err)
	need(token == json.Delim('{'), "payload: not an object")
	namesOnce(decoder, true)
	var body map[string]json.RawMessage
	must(json.Unmarshal(text, &body))
	return body
}

// namesOnce reads to the end of the object or array that has begun.
func namesOnce(decoder *json.Decoder, isObject bool) {
	seen := map[string]bool{}
	for decoder.More() {
		if isObject {
			name, err := decoder.Token()
			must(err)
			need(!seen[name.(string)], "payload: a member name stands twice")
			seen[name.(string)] = true
		}
		value, err := decoder.Token()
		must(err)
		if begin, nested := value.(json.Delim); nested {
			namesOnce(decoder, begin == '{')
		}
	}
	_, err := decoder.Token()
	must(err)
}

func readEvents(sequence []byte) (events []event) {
	for len(sequence) > 0 {
		e, rest, ok := takeEvent(sequence)
		need(ok, "event %d: not COSE_Sign1 of this contract", len(events))
		events, sequence = append(events, e), rest
	}
	return events
}

func keyID(public []byte) []byte {
	sum := sha256.Sum256(public)
	return sum[:8]
}

// check says whether the event is signed by this key for this place.
func (e *event) check(origin string, index int64, public []byte) {
	need(e.origin == origin, "event %d: another log's origin", index)
	need(e.index == index, "event %d: its index is %d", index, e.index)
	need(bytes.Equal(e.kid, keyID(public)), "event %d: signed by a key that is not in force", index)
	need(ed25519.Verify(public, e.toSign, e.signature), "event %d: the signature does not fit", index)
	need(e.kind != incarnated || index == 0, "event %d: an incarnation within a log", index)
}

func readHex(text string, length int, what string) []byte {
	need(len(text) == 2*length && hexForm.MatchString(text), "%s is not %d hex digits", what, 2*length)
	raw, err := hex.DecodeString(text)
	must(err)
	return raw
}

func readNumber(text, what string) int64 {
	need(numberForm.MatchString(text), "%s is not a decimal number", what)
	number, err := strconv.ParseInt(text, 10, 64)
	must(err)
	need(number <= numberMax, "%s is too large", what)
	return number
}

func readFile(path string) []byte {
	data, err := os.ReadFile(path)
	if err == nil {
		return data
	}
	fmt.Println("not judged:", err)
	os.Exit(2)
	return nil
}
