package sqlstore

// A Dialect is a database engine.
type Dialect int

// The engines. MySQL is MariaDB's, too.
const (
	PostgreSQL Dialect = iota + 1
	MySQL
	SQLite
)
