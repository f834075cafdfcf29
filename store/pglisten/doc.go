// Package pglisten watches the records of a sqlstore in PostgreSQL, by LISTEN.
package pglisten
