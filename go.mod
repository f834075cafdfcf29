module github.com/seed-077cad0b/auth

go 1.26
