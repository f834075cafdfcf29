package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// postgresSettings reports what is wrong with the server of PostgreSQL.
func postgresSettings(ctx context.Context, db *sql.DB) error {
	var standby bool
	if err := db.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errors.New("the server is a standby, which takes no writes and knows late what is revoked: " +
			"connect to the primary, among several hosts by target_session_attrs=read-write")
	}
	return nil
}

// mysqlSettings reports what is wrong with how MySQL, or a connection to it, is
// set.
func mysqlSettings(ctx context.Context, db *sql.DB) error {
	var autocommit, readOnly string
	if err := db.QueryRowContext(ctx, "SELECT @@autocommit, @@global.read_only").Scan(&autocommit, &readOnly); err != nil {
		return err
	}
	var errs []error
	if autocommit != "1" {
		errs = append(errs, errors.New("connections do not commit what they write: set autocommit=1, on the server or in the driver's DSN"))
	}
	if readOnly != "0" && readOnly != "OFF" {
		errs = append(errs, fmt.Errorf("the server has read_only=%s, as replicas have, "+
			"which take no writes and know late what is revoked: connect to the primary", readOnly))
	}
	return errors.Join(errs...)
}
