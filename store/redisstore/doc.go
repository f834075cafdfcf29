// Package redisstore keeps records in Redis 6.2 or later, Valkey, or a cluster of
// either, and counts for limits there. It is tested with Redis 7.0; the others have
// the commands that it uses.
//
//	store, err := redisstore.Open(ctx, "rediss://auth:password@redis.internal:6380", nil)
//
// A record is one string under one key: a look-up is one GETEX, and what changes a
// record is one script over that key, which is atomic on the node that has it.
// Keys whose records have a KeepUntil have a time to live; a record that is kept
// for ever has none. Users and platforms are kept as records, see
// password.NewUserRecords and auth.NewPlatformRecords.
//
// # What is listed by owner
//
// A record with an owner has an entry in a sorted set of that owner and kind,
// which may be on another node than the record. So they cannot change together;
// the entry is written before the record, and removed after it. Whoever is killed
// in between leaves an entry without a record, never a record without an entry:
// a list looks each entry's record up, and takes out those entries that are past
// the time in which an Insert may still follow. That is judged by the servers'
// clocks: where those of a cluster differ by more than half a minute, records with
// an owner may be refused.
//
// # What Redis forgets
//
// Redis answers before a change is on disk and on the replicas. With appendonly
// yes and appendfsync always, nothing that has been acknowledged is lost when a
// server crashes; with everysec, up to two seconds of it; without, what the last snapshot
// does not have. A failover to a replica loses what had not reached it. What is
// lost may be a revocation: a session that was taken is there again, and a spent
// token unspent. Where that is too much, keep the records in a sqlstore.
//
// A server that evicts keys when its memory is full forgets marks and spent
// tokens, too. [Open] refuses one whose maxmemory-policy is another than
// noeviction. A server without memory then refuses to write, which is an outage.
// So does one whose clock is so far ahead that it would forget a record at once.
//
// # Replicas
//
// A replica that lags behind would know a session that is revoked, so masters
// alone answer. One that is demoted ceases to at once: a look-up is a GETEX and a
// change a script with one, which Redis counts as writes, refuses on a replica,
// and holds back while a FAILOVER is under way; whatever lists or walks asks for
// the ROLE in the same round trip; and a watch that goes on asks for it every 400
// milliseconds. All of it is an outage, until the URL leads to a master again. In
// a cluster a demoted master answers MOVED, as the client never sends READONLY.
//
// Three settings bear on it. With replica-read-only no, which must not be set, a
// replica takes writes, and so answers look-ups and changes; only what lists,
// walks or watches finds it out. A master that is cut off does not know that
// another was made in its place: with min-replicas-to-write it refuses look-ups,
// too, after min-replicas-max-lag, and a node of a cluster does after
// cluster-node-timeout. Where a snapshot has failed, and
// stop-writes-on-bgsave-error is yes, a look-up is two round trips.
//
// # Outages
//
// What cannot be answered is an error, so that a guard answers 503 and nobody is
// logged out. A request waits no longer than the time-out for a server that is
// slow, and reconnects by itself when it is back. A write that failed so may have
// been done nevertheless.
//
// # What the user of Redis needs to be allowed
//
// With the default prefix:
//
//	ACL SETUSER auth on >password ~auth:* &auth:* -@all +ping +info +role +select +get +getex +mget +set +del +setrange +scan +zadd +zrange +zrem +zscore +zremrangebyscore +persist +pexpireat +eval +evalsha +time +publish +subscribe +cluster|slots +cluster|shards +cluster|nodes +cluster|myid
//
// # The client
//
// The client is rueidis, of which nothing is to be seen in the API. Requests that
// come at once share a connection and a system call: with 128 of them, a GET costs
// a third of the processor time that it takes with go-redis, and one allocation in
// place of six.
package redisstore
