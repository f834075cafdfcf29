module github.com/seed-077cad0b/auth/store/redisstore

go 1.26.0

replace github.com/seed-077cad0b/auth => ../..

require (
	github.com/redis/rueidis v1.0.79
	github.com/seed-077cad0b/auth v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)
