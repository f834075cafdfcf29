package memstore

import (
	"sync/atomic"
	"unsafe"
)

// An entry is what a chunk consists of: a header, in builds with the race
// detector a seal, and the content of one record. The header says how many words
// all of it has, and to which slot it belongs, or that it is dead.

const headerWords = 1 + sealWords

func header(size, number uint32) word          { return word(number)<<32 | word(size) }
func splitHeader(h word) (size, number uint32) { return uint32(h), uint32(h >> 32) }

// seal writes what stands before the content of an entry.
func seal(entry []word, number uint32) {
	entry[0] = header(uint32(len(entry)), number)
	if sealed {
		entry[1] = sealOf(entry[headerWords:])
	}
}

// end marks the entry at the beginning of words as dead and returns its size.
func end(words []word) uint32 {
	size, _ := splitHeader(words[0])
	atomic.StoreUint64(&words[0], header(size, 0)) // beside readers that check the seal
	return size
}

// peek reads a word of the content at a place in a chunk.
func peek(chunk *word, at uint32) {
	atomic.LoadUint64((*word)(unsafe.Add(unsafe.Pointer(chunk), uintptr(at)*wordSize)))
}

// The collector does not see what the pointers in an entry point to. As long as
// nobody writes to a Principal, that is the entry itself. A program that does
// write to one breaks what package auth asks for, and may put a pointer there to
// what nothing else keeps alive. In builds with the race detector each look-up
// makes sure that nobody has: that is where such mistakes are looked for.

// sealOf returns a checksum.
func sealOf(content []word) word {
	sum := word(0xcbf29ce484222325)
	for _, w := range content {
		sum = (sum ^ w) * 0x100000001b3
		sum ^= sum >> 29
	}
	return sum
}

// checkSeal panics if the content of an entry is not what it was.
func checkSeal(content unsafe.Pointer) {
	first := (*word)(unsafe.Add(content, -headerWords*wordSize))
	size, _ := splitHeader(atomic.LoadUint64(first))
	entry := unsafe.Slice(first, size)
	if entry[1] != sealOf(entry[headerWords:]) {
		panic("memstore: somebody has written to the Principal or the Data of a record, which are shared")
	}
}
