package memstore

// Strange are the offsets of the fields with which a Principal is kept apart.
var Strange = principals.strange
